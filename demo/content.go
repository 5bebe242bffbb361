package demo

// The demonstration's templates, as a marketer would have written them.

const springMailSubject = `{{ customer.first_name | default: "Dear gardener" }}, spring bulbs are ready to ship`

const springMailHTML = `<!doctype html>
<html><body style="font-family:Georgia,serif;color:#223;max-width:600px;margin:auto">
<h1 style="color:#2f5d50">Alder &amp; Finch Garden</h1>
<p>Dear {{ customer.first_name | default: "gardener" }},</p>
<p>the first tulips of the season are in our cold store, and {% if customer.orders_count > 1 %}because you have ordered {{ customer.orders_count }} times
{% else %}because we would like to know you better {% endif %}we keep a box for you until the end of the month.</p>
<p><a href="https://alderfinch.example/spring?c={{ keycode }}" style="background:#2f5d50;color:#fff;padding:10px 18px;text-decoration:none">See the spring bulbs</a></p>
<p>Prefer roses? <a href="https://alderfinch.example/roses">They ship from March.</a></p>
<p>Your code: <strong>{{ keycode }}</strong></p>
<hr><p style="font-size:12px;color:#667">{{ company.name }}, {{ company.address }}. <a href="{{ unsubscribe_url }}">Stop these e-mails</a>.</p>
</body></html>`

const springSMS = `{{ company.name }}: {{ customer.first_name }}, your spring bulbs wait until Sunday. Code {{ keycode }} at alderfinch.example. STOP to end`

const springLetter = `Dear {{ customer.title }} {{ customer.last_name }},

the catalogue that you hold in your hands has a story: our grower in Lisse dug these bulbs in July, and they have slept in the dark since then. Now they want to go into your ground{% if customer.city != "" %} in {{ customer.city }}{% endif %}.

Send the card back, call us, or scan the code above. Please give your code {{ keycode }}: it saves you the postage.

With the best wishes for your garden,
Alder & Finch Garden`

const springScript = `Good day, this is Alder & Finch Garden. Am I speaking with {{ customer.title }} {{ customer.last_name }}?

You have ordered {{ customer.orders_count }} times with us, thank you. This spring we offer the border spade with a box of 50 tulips for 79 dollars.
May I put one aside for you? (Code {{ keycode }})`

const autumnMailSubject = `Plant now, smile in April`

const autumnMailHTML = `<!doctype html>
<html><body style="font-family:Georgia,serif;color:#223;max-width:600px;margin:auto">
<h1 style="color:#8a4b1f">Autumn at Alder &amp; Finch</h1>
<p>Dear {{ customer.first_name | default: "gardener" }},</p>
<p>what goes into the ground before the frost rewards you first. <a href="https://alderfinch.example/autumn?c={{ keycode }}">Twelve autumn favourites</a>
are 15 % off for readers of this mail.</p>
<p style="font-size:12px;color:#667">{{ company.name }}, {{ company.address }}. <a href="{{ unsubscribe_url }}">Stop these e-mails</a>.</p>
</body></html>`

const autumnScript = `Good day, this is Alder & Finch Garden for {{ customer.title }} {{ customer.last_name }}.

Did our autumn letter reach you? The amaryllis gift set ships until the tenth. (Code {{ keycode }})`

// springJourney reaches everybody by e-mail first, where there is one, and then by what answers best: clickers get a text
// message, the others a letter, and the best customers a call.
const springJourney = `{
  "start": "mail",
  "steps": [
    {"key": "mail", "type": "email", "template": "Spring mail", "unit_cost": "0.0040", "dedup": "email", "next": "three-days"},
    {"key": "three-days", "type": "wait", "for": "3d", "next": "bought"},
    {"key": "bought", "type": "goal", "if": "bought(\"BULB-TULIP\", \"3d\")", "next": "clicked"},
    {"key": "clicked", "type": "branch", "if": "clicked(\"spring-bulbs\", \"3d\")", "then": "text", "else": "value"},
    {"key": "text", "type": "sms", "template": "Spring text", "unit_cost": "0.0450", "dedup": "phone", "next": "end"},
    {"key": "value", "type": "branch", "if": "orders_count >= 2", "then": "letter", "else": "end"},
    {"key": "letter", "type": "post", "template": "Spring letter", "unit_cost": "0.6200", "dedup": "household", "next": "two-weeks"},
    {"key": "two-weeks", "type": "wait", "for": "14d", "next": "best"},
    {"key": "best", "type": "branch", "if": "total_spent > 250 and not responded(\"spring-bulbs\")", "then": "call", "else": "end"},
    {"key": "call", "type": "calls", "template": "Spring call", "unit_cost": "2.4000", "dedup": "household", "next": "end"},
    {"key": "end", "type": "end"}
  ]
}`

const autumnJourney = `{
  "start": "mail",
  "steps": [
    {"key": "mail", "type": "email", "template": "Autumn mail", "unit_cost": "0.0040", "dedup": "email", "next": "kind"},
    {"key": "kind", "type": "branch", "if": "total_spent > 300", "then": "call", "else": "wait"},
    {"key": "call", "type": "calls", "template": "Autumn call", "unit_cost": "2.4000", "dedup": "household", "next": "end"},
    {"key": "wait", "type": "wait", "until_response": "click", "timeout": "5d", "next": "end"},
    {"key": "end", "type": "end"}
  ]
}`
