package segments

// documentHead is what docs/segments.md says before the tables.
const documentHead = `# The segment language

<!-- Made by "go test ./segments -update" from the tables that check expressions; edit segments/document.go and those. -->

An expression chooses customers: it is a condition that holds for a customer or not. The empty expression is everybody in the house file.

` + "```" + `
country in ["DE", "AT"] and orders_count >= 3 and last_order_at < ago("90d")
any(orders, .product == "SEEDS-01" and .amount > 20)
clicked("spring-2026", "30d") and not bought("ROSES")
did("viewed", "7d") and never(bought("ROSES"))
in_segment("vip") and rfm >= 400
in_segment("vip") and email endsWith "@example.org"
` + "```" + `

## How to write it

| form | meaning |
| --- | --- |
| ` + "`and` `or` `not` (also `&&` `\\|\\|` `!`)" + ` | join conditions; parentheses group. Write ` + "`not (x > 5)`" + ` with its parentheses |
| ` + "`==` `!=` `<` `<=` `>` `>=`" + ` | compare two values of one type; text is ordered by its characters' numbers. ` + "`1 <= x < 5`" + ` is both |
| ` + "`x in [a, b]` `x not in [a, b]`" + ` | one of several values |
| ` + "`x contains y` `startsWith` `endsWith`" + ` | parts of a text; ` + "`tags contains \"x\"`" + ` asks a list for an item |
| ` + "`x matches \"pattern\"`" + ` | a regular expression (RE2), such as ` + "`\"(?i)^san \"`" + `; a dot is any character, ` + "`^` and `$`" + ` are the ends of the text; without ` + "`\\b` and `(?m)`" + ` |
| ` + "`+ - * / %`" + ` | numbers are exact; a quotient has six decimals, the rest is cut off; by zero it is not known. ` + "`+`" + ` joins text |
| ` + "`time + duration` `time - time`" + ` | a later or earlier time; the duration between |
| ` + "`condition ? a : b` `a ?? b`" + ` | one or the other (also ` + "`if condition { a } else { b }`" + `); ` + "`a`" + `, or ` + "`b`" + ` where ` + "`a`" + ` is not known |
| ` + "`items \\| function(...)`" + ` | the same as ` + "`function(items, ...)`: `orders \\| count(.amount > 20)`" + ` |
| ` + "`\"text\"` `'text'` `` `text` `` `12.50` `true` `false`" + ` | values |
| ` + "`// note` `/* note */`" + ` | notes that mean nothing |

- **Capital and small letters are different** in every test of text; ` + "`matches \"(?i)...\"`" + ` makes them alike.
- **Not known**: a comparison or test with a value that is not known is false, ` + "`!=`" + ` too, and ` + "`not`" + ` makes it true. So
  ` + "`city != \"Berlin\"`" + ` leaves out customers without a city, ` + "`not (city == \"Berlin\")`" + ` takes them in, and ` + "`is_known(city)`" + ` asks.
- **Time** is UTC: ` + "`date(\"2026-01-31\")`" + ` is that day's midnight in UTC, and so is a date attribute. ` + "`year` `month` `day` `weekday` `hour`" + `, birthdays and
  anniversaries go by the customer's own time zone, UTC where it is not known.
- **Durations** in s, min, h, d (24 hours) and w have a fixed length. ` + "`mo` and `y`" + ` are months of the calendar: ` + "`ago(\"1mo\")`" + ` on 31 March is 28 or 29
  February, and ` + "`now() - last_order_at > duration(\"1y\")`" + ` asks whether a year of the calendar has gone by.
- **Money** is in the base currency.
- **Rented names** (hired for a use, no answer yet) belong to a segment only where it names a list of theirs: ` + "`in_list(\"Herb Society\")`" + `, or
  ` + "`in_list(\"spring run\")`" + ` for the net names of a merge/purge run. Everything else asks the house file alone, and so does the empty expression.
  Inside a journey the conditions of branches and goals ask everybody who walks it. Whoever responds or orders joins the house file; an event does not do that.
- **Many of a kind**: ` + "`orders` `lines` `responses` `touches` `events` `household`" + ` are asked with ` + "`any all none one count sum min max mean first last`" + `, after a
  ` + "`filter`" + ` where only some count and a ` + "`map`" + ` where a value of each is needed: ` + "`mean(map(filter(orders, .at > ago(\"1y\")), .amount)) > 50`" + `. A fact of an
  item begins with a dot; facts of the customer can stand beside it. First and last go by time, then by order number or the like.
- **What was sent or done**: ` + "`any(responses, .objective == \"reactivation\")`, `contacts(\"post\", \"90d\") <= 2`, `never(clicked())`" + `, and
  ` + "`followed(clicked(\"spring-2026\"), bought(\"ROSES\"), \"7d\")`" + ` for what came after what.
- **Events** are what customers did elsewhere (a shop, an app, a till), by names that whoever reports them gives: ` + "`did(\"viewed\", \"30d\")`" + `,
  ` + "`sum(filter(events, .name == \"viewed\"), .value) > 100`" + `. Other things known of them are properties, asked by name: ` + "`any(events, .text(\"page\") == \"/roses\" and .number(\"seconds\") > 30)`" + `.
- **Household**: the members of the house file with the same surname at the same residence, the customer among them; who has none is one alone. ` + "`household`" + ` has
  the facts of customers: ` + "`count(household) >= 2`, `sum(household, .total_spent) > 500`" + `; ` + "`household(...)`" + ` asks a whole expression of each member.
- **Private attributes** are not there for the read-only role: neither expressions, suggestions, charts nor customers show them, and of a segment that asks for one it sees only the name, of a campaign whose audience or branch does, not the expression, of a template that does, not the words. An administrator says which are private (Settings, Attributes).
- **Machines** (mail proxies, link scanners) never count as opening or clicking.
- **What is wrong** with an expression is told all at once: line, column, the part that is meant, the nearest name that is known, the type that is needed.
- Limits: 8 KB, 500 parts, 200 deep; with the segments it pulls in 2,000 parts; 100 looks at behaviour, 50 sums. Counting stops after 30 seconds.

Attributes that a marketer defines stand beside the facts below under their own names: text, numbers and money, yes/no
(a condition by itself), dates and times, lists of text.
`
