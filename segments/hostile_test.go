package segments

import (
	"errors"
	"strings"
	"testing"
	"time"

	"aldine/internal/fault"
)

// hostile are expressions at the edges of what is accepted: forms of the parser that few know, numbers and times at the ends,
// patterns that two engines could read differently, texts that encodings stumble over.
var hostile = []string{
	// Numbers.
	`score > 999999999999999.999999999999`, `score > 017`, `score > 0o17`, `score > 1_0.5_5`, `score > 5.`, `score > 1e-12`, `score > - -1`, `score > 1e+5`, `score % 0.3 > 0`, `score / score > 0`, `1/3 == 0.333333`, `-1/3 == -0.333333`,
	`1 / 3 * 3 == 1`, `-7 % 3 == -1`, `7 % -3 == 1`, "score" + strings.Repeat("*score", 49) + " > 0", `orders_count / orders_count == 1`, `1 < 2 < 3 < 4`, `1 < score > 0`, `1 < orders_count <= 3 == true`,
	// Times.
	`date("0001-01-01") < now()`, `date("9999-12-31T23:59:59.999999Z") > created_at`, `date("9999-12-31T23:59:59.9999999Z") > created_at`, `date("2026-01-31T18:00:00+02:00") < now()`, `created_at + duration("1200mo") > now()`,
	`created_at - duration("100y") < date("1900-01-01")`, `now() + duration("1mo") - duration("1mo") == now()`, `ago("0d") == now()`, `-duration("1d") < now() - created_at`, `anniversary_within(birthday, "100y")`,
	`anniversary_within(date("2024-02-29"), "8d")`, `anniversary_within(now(), "0d")`, `hour(birthday) == 0`, `weekday(now()) in [6, 7]`, `hour(date("2025-03-30T01:00:00Z")) == 3`, `hour(date("2025-10-26T00:30:00Z")) == 2 and hour(date("2025-10-26T01:30:00Z")) == 2`,
	`day(date("2011-12-30T10:00:00Z")) == 31`, `year(date("1883-11-18T17:00:00Z")) == 1883 and hour(date("1883-11-18T16:59:00Z")) == 12`, `weekday(seen_at) + hour(seen_at) / 7 > 3`, `last_order_at - duration("1mo") + duration("1d") < ago("2mo")`,
	`as_of("0001-01-01", any(orders, anniversary_within(.at, "7d")) or anniversary_within(now(), "7d"))`, `as_of("9999-12-31T23:59:59.999999Z", any(orders, anniversary_within(.at, "100y")))`, `as_of("0001-01-01", year(now()) == -1)`,
	`as_of("0001-01-01", bought("", "100y") or followed(clicked(), bought(), "100y"))`, `as_of("9999-12-31", count(orders, .at + duration("100y") > now()) == 0)`,
	// Patterns.
	`city matches "(?i)\x00"`, `city matches "[\\x00-\\x05]"`, `city matches "[^\\x00]"`, `city matches "[\\x{d800}-\\x{dfff}]"`, `city matches "(?i)\\x{d800}"`, `city matches "\\x{10ffff}"`, `city matches "\\p{Greek}"`, `city matches "[[:word:]]"`,
	`city matches "(?i)[[:upper:]]"`, `city matches "(?i)İ"`, `city matches "(?i)ſ"`, `city matches "(?i)K"`, `city matches "(?U)a+"`, `city matches "(?P<x>a)"`, `city matches "((a|b|c)*){100}"`, `city matches "(?:(?:a*)*)*"`, `city matches "(|)"`,
	`city matches "(|a|)*"`, `city matches "^*"`, `city matches "$+"`, `city matches "(^a|b$)*"`, `city matches "\\Qa.b\\E"`, `city matches "[a-z&&[^b]]"`, `city matches "[]a]"`, `city matches "[^]a]"`, `city matches "[[=a=]]"`, `city matches "[[.a.]]"`,
	`city matches "(.*.*.*.*){60}x"`, `city matches "(a|b)*a(a|b){200}"`, `city matches "(^|$|a){8}"`, `city matches "a$"`, "city matches \"a\\n\"", `city matches "^\\s|\\s$"`, `city matches "\\d\\D\\w\\W\\S"`,
	// Texts.
	`city contains "%"`, `city startsWith "\\"`, `city endsWith "%_\\"`, `city contains ""`, `city contains "\u0301"`, `city contains city`, `city endsWith city + ""`, `tags contains ""`, `city < "ä" or city > "\uffff"`, `"a" < "b" < "c"`,
	`city in ["a", city, country]`, `city in ["a", ]`, `"a" in ["a", "b"]`, `city == "\U0001F600"`, `city == "\101"`, `city == "//"`, "city == `a\\nb`", `city not matches "a"`, `not (city in ["a"])`,
	// Items.
	`any(orders, #.amount > 3)`, `any(orders, #["amount"] > 3)`, `any(orders, {.amount > 3})`, `orders | filter(.amount > 3) | count(.at > ago("1y")) > 1`, `orders | map(.amount) | max() > 3`, `last(orders)["amount"] > 3`, `any(orders, . amount > 3)`,
	`any(filter(filter(orders, .amount > 1), .at < now()), true)`, `none(orders, false)`, `count(orders) > count(lines)`, `any(orders, .amount > total_spent / 2)`, `is_known(last(orders).at)`, `first(map(orders, .amount > 3 and vip))`,
	`last(map(orders, .place + city)) contains "a"`, `sum(orders, total_spent) > 10`, `min(map(orders, now())) == now()`, `mean(map(household, .score)) > 1`, `first(household).city == city`,
	// Conditions.
	`vip == vip`, `vip == not vip`, `vip ? vip ? true : false : false`, `if vip { true } else if orders_count > 1 { true } else { false }`, `vip ?? false`, `not not vip`, `!!vip`, `is_known(city == "a")`, `is_known(duration("1d"))`, `true`, `false`, `now() == now()`,
}

func TestHostileExpressions(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 50)
	facts := allFacts(t, pool)
	for _, expression := range hostile {
		start := time.Now()
		if err := disagreement(t.Context(), s, pool, facts, expression); err != nil {
			t.Errorf("%s: %v", expression, err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s takes %v", expression, took)
		}
	}
}

// Patterns on which PostgreSQL would work for minutes, or give up, are refused at once.
func TestEndlessPatterns(t *testing.T) {
	t.Parallel()
	s, _ := world(t, 0)
	for _, pattern := range []string{"(((^|$|b*|b*|a?|a)){2}){0,20}", "(|$|^){0,20}", strings.Repeat("(^|a|$)", 15), "(^|$){9}", "((^a|b$)*){5}", "(a?b?c?d?){120}", "(a*){255}", "(a{0,30}){0,30}", "((((a?){5}){5}){5}){5}", "a{256}", "a{1000}", `\\pL`} {
		err := s.Check(t.Context(), `city matches "`+pattern+`"`)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid || f.Fields[0].Column != 14 || !strings.Contains(f.Fields[0].Message, "the pattern") {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}
