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
	orders    bool // can be used on the facts of an order
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
			"A length of time: s, min, h, d (24 hours), w, mo (30 days), y (365 days); \"1d12h\" adds them", true, (*checker).duration},
		{"ago", "ago(text)", instant, `last_order_at < ago("90d")`, "The time that long ago: now() - duration(text)", true, (*checker).ago},

		{"bought", "bought([product [, window]])", boolean, `bought("SEEDS-01", "90d")`,
			"Bought the product (\"\" or nothing: any) within the window before now (left out: ever); returns do not count", false, (*checker).bought},
		{"any", "any(orders, condition)", boolean, `any(orders, .product == "SEEDS-01" and .amount > 20)`, "At least one order meets the condition", false, (*checker).quantify},
		{"all", "all(orders, condition)", boolean, `all(orders, .place == "web")`, "Every order meets the condition; true without orders", false, (*checker).quantify},
		{"none", "none(orders, condition)", boolean, `none(orders, .at > ago("1y"))`, "No order meets the condition", false, (*checker).quantify},
		{"one", "one(orders, condition)", boolean, `one(orders, .amount > 100)`, "Exactly one order meets the condition", false, (*checker).quantify},
		{"count", "count(orders [, condition])", number, `count(orders, .amount > 20) >= 2`, "Number of orders that meet the condition", false, (*checker).aggregate},
		{"sum", "sum(orders, number)", number, `sum(filter(orders, .at > ago("1y")), .amount) > 500`, "Sum over orders; 0 without any", false, (*checker).aggregate},
		{"filter", "filter(orders, condition)", nothing, `any(filter(orders, .place == "shop"), .amount > 50)`,
			"The orders that meet the condition, in place of orders", false, (*checker).filterAlone},

		{"clicked", "clicked([campaign [, window]])", boolean, `clicked("spring-2026", "30d")`,
			"A person clicked a link of the campaign (its code; \"\" or nothing: any); machines do not count", false, (*checker).answered},
		{"opened", "opened([campaign [, window]])", boolean, `opened("spring-2026")`, "A person opened an e-mail of the campaign; machines do not count", false, (*checker).answered},
		{"responded", "responded([campaign [, window]])", boolean, `responded("spring-2026", "30d")`,
			"Clicked, replied, called, visited, redeemed a coupon, ordered or answered a survey; not opens, bounces, complaints or unsubscribing", false, (*checker).answered},
		{"contacted", "contacted([campaign [, window]])", boolean, `not contacted("", "30d")`, "Something of the campaign was sent, by any medium", false, (*checker).contacted},
		{"received", "received([campaign [, window]])", boolean, `received("spring-2026")`, "The same as contacted", false, (*checker).contacted},

		{"in_list", "in_list(name)", boolean, `in_list("Rented A")`, "On the list", false, (*checker).inList},
		{"in_segment", "in_segment(name)", boolean, `in_segment("vip")`, "In the saved segment, as it is defined now", false, (*checker).inSegment},
		{"birthday_within", "birthday_within(window)", boolean, `birthday_within("7d")`,
			"Birthday today or within the days that follow (UTC), by a date attribute named birthday or date_of_birth", false, (*checker).birthday},
		{"bucket", "bucket(seed, from, to)", boolean, `bucket("test-1", 0, 20)`,
			"A fixed share of customers: each has a number from 0 to 99 per seed, and it is at least from and below to", false, (*checker).bucket},
		{"nth", "nth(n)", boolean, `nth(10)`, "Every n-th customer, by the customer's number", false, (*checker).nth},
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
		var names []string
		for _, f := range functions() {
			names = append(names, f.name)
		}
		return c.fail(f.at, "unknown function %q%s", f.name, didYouMean(f.name, names))
	}
	if c.inOrders && !known.orders {
		return c.fail(f.at, "%s cannot be used on the facts of an order: move it out of the condition", f.name)
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

// since reads the optional window in argument i: the time it begins.
func (c *checker) since(f call, i int) (int64, bool) {
	if len(f.args) <= i {
		return ever, true
	}
	text, ok := c.quoted(f, i, "a duration")
	if !ok {
		return 0, false
	}
	if text == "" {
		return ever, true
	}
	length, ok := c.length(f.args[i], text)
	return c.now - length, ok
}
