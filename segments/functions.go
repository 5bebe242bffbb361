package segments

import (
	"fmt"

	"github.com/expr-lang/expr/ast"
)

// function is one function of the language: what the reference says about it, and how a call is checked.
type function struct {
	name      string
	signature string
	result    kind
	example   string
	doc       string
	items     bool // can be used on the facts of an item
	check     func(c *checker, f call) node
}

// call is a function's use in an expression.
type call struct {
	name string
	args []ast.Node
	at   ast.Node
}

// functions gives the table; a function and not a variable, since the checks call the checker, which reads the table.
func functions() []function {
	return []function{
		{"is_known", "is_known(x)", boolean, "is_known(email)", "Whether x is known for the customer", true, (*checker).isKnown},
		{"now", "now()", instant, `created_at > now() - duration("7d")`, "The time at which the expression is run", true, (*checker).nowCall},
		{"date", "date(text)", instant, `last_order_at < date("2026-01-31")`,
			"A day (its midnight in UTC) or a time, such as \"2026-01-31T18:00:00Z\"", true, (*checker).date},
		{"duration", "duration(text)", span, `now() - last_order_at > duration("90d")`,
			"A length of time: s, min, h, d (24 hours), w, mo (months of the calendar), y (12 of them); \"1d12h\" adds them", true, (*checker).duration},
		{"ago", "ago(text)", instant, `last_order_at < ago("90d")`, "The time that long ago: now() - duration(text)", true, (*checker).ago},

		{"year", "year(time)", number, `year(created_at) == 2026`, "Year in the customer's time zone (of a date attribute: as it stands)", true, (*checker).calendarPart},
		{"month", "month(time)", number, `month(last_order_at) in [11, 12]`, "Month, 1 to 12, in the customer's time zone", true, (*checker).calendarPart},
		{"day", "day(time)", number, `day(now()) == 1`, "Day of the month in the customer's time zone", true, (*checker).calendarPart},
		{"weekday", "weekday(time)", number, `any(orders, weekday(.at) >= 6)`, "Day of the week in the customer's time zone, from 1 for Monday to 7 for Sunday", true, (*checker).calendarPart},
		{"hour", "hour(time)", number, `count(orders, hour(.at) < 6) >= 2`, "Hour, 0 to 23, in the customer's time zone", true, (*checker).calendarPart},
		{"anniversary_within", "anniversary_within(time, window)", boolean, `anniversary_within(first_order_at, "7d")`,
			"The day and month of the time come today or within the window, by the customer's time zone; 29 February is kept on the 28th in common years", true, (*checker).anniversary},
		{"birthday_within", "birthday_within(window)", boolean, `birthday_within("7d")`,
			"Birthday today or within the window, by a date attribute named birthday or date_of_birth; today is the customer's own", true, (*checker).birthday},

		{"any", "any(items, condition)", boolean, `any(orders, .product == "SEEDS-01" and .amount > 20)`, "At least one item meets the condition", false, (*checker).quantify},
		{"all", "all(items, condition)", boolean, `all(orders, .place == "web")`, "Every item meets the condition; true without items", false, (*checker).quantify},
		{"none", "none(items, condition)", boolean, `none(orders, .at > ago("1y"))`, "No item meets the condition", false, (*checker).quantify},
		{"one", "one(items, condition)", boolean, `one(orders, .amount > 100)`, "Exactly one item meets the condition", false, (*checker).quantify},
		{"count", "count(items [, condition])", number, `count(orders, .amount > 20) >= 2`, "Number of items that meet the condition", false, (*checker).aggregate},
		{"sum", "sum(items, number)", number, `sum(filter(orders, .at > ago("1y")), .amount) > 500`, "Sum over items; 0 without any", false, (*checker).aggregate},
		{"min", "min(map(items, x))", number, `min(map(orders, .amount)) >= 10`, "Least number or earliest time; not known without items", false, (*checker).aggregate},
		{"max", "max(map(items, x))", number, `max(map(lines, .amount)) > 100`, "Greatest number or latest time; not known without items", false, (*checker).aggregate},
		{"mean", "mean(map(items, x))", number, `mean(map(orders, .amount)) > 50`, "Average, cut off after six decimals; not known without items", false, (*checker).aggregate},
		{"first", "first(items).fact", nothing, `first(orders).place == "shop"`, "A fact of the earliest item, also first(map(items, x)); not known without items", false, (*checker).aggregate},
		{"last", "last(items).fact", nothing, `last(responses).at < ago("1y")`, "A fact of the latest item, also last(map(items, x)); not known without items", false, (*checker).aggregate},
		{"filter", "filter(items, condition)", nothing, `any(filter(orders, .place == "shop"), .amount > 50)`,
			"The items that meet the condition, in place of all of them", false, (*checker).filterAlone},
		{"map", "map(items, x)", nothing, `max(map(orders, .amount * .quantity)) > 500`, "A value of each item, for sum, min, max, mean, first and last", false, (*checker).filterAlone},

		{"bought", "bought([product [, window]])", boolean, `bought("SEEDS-01", "90d")`,
			"Bought the product (\"\" or nothing: any) within the window before now (left out: ever); returns do not count", false, (*checker).bought},
		{"clicked", "clicked([campaign [, window]])", boolean, `clicked("spring-2026", "30d")`,
			"A person clicked a link of the campaign (its code; \"\" or nothing: any); machines do not count", false, (*checker).answered},
		{"opened", "opened([campaign [, window]])", boolean, `opened("spring-2026")`, "A person opened an e-mail of the campaign; machines do not count", false, (*checker).answered},
		{"responded", "responded([campaign [, window]])", boolean, `responded("spring-2026", "30d")`,
			"Clicked, replied, called, visited, redeemed a coupon, ordered or answered a survey; not opens, bounces, complaints or unsubscribing", false, (*checker).answered},
		{"contacted", "contacted([campaign [, window]])", boolean, `not contacted("", "30d")`, "Something of the campaign was sent, by any medium", false, (*checker).contacted},
		{"received", "received([campaign [, window]])", boolean, `received("spring-2026")`, "The same as contacted", false, (*checker).contacted},
		{"contacts", "contacts([channel [, window]])", number, `contacts("post", "90d") <= 2`, "How often something was sent, by email, sms, post or calls (\"\": any) within the window before now", false, (*checker).contacts},
		{"did", "did([event [, window]])", boolean, `did("viewed", "30d")`,
			"Did what is reported under that name (\"\" or nothing: any event) within the window before now", false, (*checker).did},
		{"never", "never(happening)", boolean, `never(bought("ROSES"))`, "It has not happened: not, for those who like to read it", false, (*checker).never},
		{"followed", "followed(happening, happening [, window] ...)", boolean, `followed(clicked("spring-2026"), bought("ROSES"), "7d")`,
			"The second happened after the first (later, not at the same moment), within the window where one is given; more can follow, each with its window. What happens is clicked, opened, responded, contacted, received, bought, did, and any(items, condition)", false, (*checker).followed},
		{"as_of", "as_of(date, condition)", boolean, `as_of("2026-01-01", count(orders) >= 2)`,
			"The condition as it was at that time: later orders, responses, touches and events do not count, and now() is that time. Only behaviour, for facts are not kept", false, (*checker).asOfCall},

		{"in_list", "in_list(name)", boolean, `in_list("Rented A")`, "On the list", false, (*checker).inList},
		{"in_segment", "in_segment(name)", boolean, `in_segment("vip")`, "In the saved segment, as it is defined now", false, (*checker).inSegment},
		{"household", "household(condition)", boolean, `not household(bought("ROSES"))`,
			"The condition holds for a member of the household, the customer too; any(household, .city == \"Rome\") and count(household) ask their facts", false, (*checker).householdCall},
		{"bucket", "bucket(seed, from, to)", boolean, `bucket("test-1", 0, 20)`,
			"A fixed share of customers: each has a number from 0 to 99 per seed, and it is at least from and below to", false, (*checker).bucket},
		{"nth", "nth(n)", boolean, `nth(10)`, "Every n-th customer, by the customer's number", false, (*checker).nth},
		{"top", "top(n, score [, condition])", boolean, `top(5000, total_spent, country == "DE")`,
			"One of the n customers with the highest score among those who meet the condition (left out: the whole house file); alike ones by their number, those without a score not at all. Not in the conditions of journeys", false, (*checker).top},
	}
}

func functionNamed(name string) *function {
	for _, f := range functions() {
		if f.name == name {
			return &f
		}
	}
	return nil
}

func isFunction(name string) bool { return functionNamed(name) != nil }

func (c *checker) call(f call) node {
	known := functionNamed(f.name)
	if known == nil {
		return c.fail(f.at, "%s", c.unknownFunction(f.name))
	}
	if c.items != nil && !known.items {
		return c.fail(f.at, "%s cannot be used on the facts of %s: move it out of the condition", f.name, c.items.one)
	}
	return known.check(c, f)
}

// arity demands a number of arguments.
func (c *checker) arity(f call, low, high int) bool {
	if len(f.args) >= low && len(f.args) <= high {
		return true
	}
	known := functionNamed(f.name)
	c.fail(f.at, "%s takes %s, but has %d: write it as %s, such as %s", f.name, arguments(low, high), len(f.args), known.signature, known.example)
	return false
}

func arguments(low, high int) string {
	switch {
	case high == 0:
		return "no argument"
	case low == high && low == 1:
		return "1 argument"
	case low == high:
		return fmt.Sprintf("%d arguments", low)
	}
	return fmt.Sprintf("%d to %d arguments", low, high)
}

// quoted demands a literal text as argument i.
func (c *checker) quoted(f call, i int, what string) (string, bool) {
	literal, ok := f.args[i].(*ast.StringNode)
	if !ok {
		c.fail(f.args[i], "%s needs %s in quotes here, such as %s", f.name, what, functionNamed(f.name).example)
		return "", false
	}
	return literal.Value, c.literal(literal) != nil
}

// since reads the optional window in the second argument: the time it begins.
func (c *checker) since(f call) (int64, bool) {
	if len(f.args) < 2 {
		return ever, true
	}
	text, ok := c.quoted(f, 1, "a duration")
	if !ok {
		return 0, false
	}
	if text == "" {
		return ever, true
	}
	length, ok := c.length(f.args[1], text)
	if !ok {
		return 0, false
	}
	return plus(c.now, minus(length)), true
}
