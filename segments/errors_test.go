package segments

import (
	"context"
	"errors"
	"strings"
	"testing"

	"aldine/internal/fault"
)

// at is one fault: where, and what its message must say.
type at struct {
	line, column int
	says         string
}

func TestFaultsSayWhereAndWhat(t *testing.T) {
	t.Parallel()
	s, _ := world(t, 0)
	for expression, want := range map[string][]at{
		`contry == "DE"`:                         {{1, 1, `unknown name "contry": did you mean "country"?`}},
		"vip and\n  contry == \"DE\" or zip > 3": {{2, 3, `did you mean "country"`}, {2, 21, `did you mean "postal_code"`}},
		`amount > 3`:                             {{1, 1, `unknown name "amount"`}},
		`any(orders, amount > 3)`:                {{1, 13, `did you mean ".amount"`}},
		`any(orders, .amont > 3)`:                {{1, 14, `did you mean ".amount"`}},
		`any(order, .amount > 3)`:                {{1, 5, `did you mean "orders"`}},
		`orders_count > "many"`:                  {{1, 1, `orders_count is a number and cannot be compared with text`}},
		`orders_count > "3"`:                     {{1, 1, `without quotes`}},
		`postal_code == 10115`:                   {{1, 1, `write the value in quotes`}},
		`last_order_at < "1997-06-30"`:           {{1, 1, `write date("1997-06-30")`}},
		`last_order_at > "90d"`:                  {{1, 1, `write ago("90d")`}},
		`"1997-06-30" > last_order_at`:           {{1, 1, `write date("1997-06-30")`}},
		`last_order_at > duration("90d")`:        {{1, 1, `write ago("90d")`}},
		`not orders_count > 3`:                   {{1, 1, `not (orders_count > 10)`}},
		`not vip > 3`:                            {{1, 1, `yes/no and cannot be compared with a number`}},
		`vip > true`:                             {{1, 5, `no order`}},
		`tags == "a"`:                            {{1, 1, `tags contains "a"`}},
		`tags startsWith "a"`:                    {{1, 1, `asks about text`}},
		`city in ["a", 3]`:                       {{1, 15, `cannot be compared with a number`}},
		`city in []`:                             {{1, 9, `the list is empty`}},
		`city in "a"`:                            {{1, 9, `in needs a list`}},
		`orders_count in 1..5`:                   {{1, 18, `ranges are not supported`}},
		`orders_count`:                           {{1, 1, `orders_count > 10`}},
		`city and vip`:                           {{1, 1, `joins conditions`}},
		`city = "DE"`:                            {{1, 6, `write ==`}},
		`city <> "DE"`:                           {{1, 7, `write !=`}},
		`city == "DE" AND vip`:                   {{1, 14, `write and`}},
		`city == "DE`:                            {{1, 12, `closing quotation mark`}},
		`city ==`:                                {{1, 6, `missing after "=="`}},
		`(city == "a"`:                           {{1, 1, `"(" is never closed`}},
		`city == "a")`:                           {{1, 12, `")" has no opening bracket`}},
		`city == nil`:                            {{1, 9, `is_known`}},
		`buoght("X")`:                            {{1, 1, `did you mean "bought"`}},
		`bought("X", "ninety days")`:             {{1, 13, `is not a duration`}},
		`bought("X", "3m")`:                      {{1, 13, `minutes (min) or months (mo)`}},
		`bought(city)`:                           {{1, 8, `in quotes`}},
		`bought("X", "1d", 3)`:                   {{1, 1, `0 to 2 arguments, but has 3`}},
		`last_order_at < date("1997-02-30")`:     {{1, 22, `is not a date`}},
		`last_order_at < ago("200y")`:            {{1, 21, `up to 100 years`}},
		`in_segment("vop")`:                      {{1, 12, `did you mean "vip"`}},
		`in_list("Hause")`:                       {{1, 9, `did you mean "House"`}},
		`clicked("sprang", "3x")`:                {{1, 9, `did you mean "spring"`}, {1, 19, `is not a duration`}},
		`city matches "("`:                       {{1, 14, `cannot be read`}},
		`city matches "\\bx"`:                    {{1, 14, `not supported`}},
		`city matches "(a{200}){200}"`:           {{1, 14, `cannot be read`}},
		`city matches country`:                   {{1, 14, `pattern in quotes`}},
		`any(orders, .product != "X")`:           {{1, 22, `not (.product == "X")`}},
		`any(orders, clicked())`:                 {{1, 13, `move it out`}},
		`any(orders, any(orders, .amount > 1))`:  {{1, 13, `move it out`}},
		`filter(orders, .amount > 1)`:            {{1, 1, `use it within`}},
		`len(orders) > 3`:                        {{1, 1, `unknown function "len"`}},
		`orders_count / 0 > 3`:                   {{1, 14, `divides by zero`}},
		`orders_count ** 2 > 3`:                  {{1, 14, `powers`}},
		`let x = 3; x > 2`:                       {{1, 5, `variables`}},
		`vip; vip`:                               {{1, 4, `join them with and`}},
		`email.domain == "x"`:                    {{1, 1, `has no parts`}},
		`{"a": 1}`:                               {{1, 1, `not supported`}},
		`tags[0] == "a"`:                         {{1, 5, `parts have no numbers`}},
		`city in ["a"` + strings.Repeat(`, "b"`, 600) + "]": {{1, 9, `601 values are too many`}},
		`vip ? 1 : "a"`:                         {{1, 11, `must be of one type`}},
		`1e400 > 2`:                             {{1, 1, `too large`}},
		`99999999999999999999 > 2`:              {{1, 1, `number is too large`}},
		`now > created_at`:                      {{1, 1, `is a function`}},
		`city == "a\x00b"`:                      {{1, 9, `cannot be stored`}},
		`in_segment(city)`:                      {{1, 12, `in quotes`}},
		`bucket("x", 0, 200)`:                   {{1, 16, `whole number from 0 to 100`}},
		`nth(0)`:                                {{1, 5, `whole number`}},
		`max(orders, .amount) > 3`:              {{1, 13, `max(map(orders, .amount))`}},
		`max(orders) > 3`:                       {{1, 5, `max(map(`}},
		`mean(map(orders, .place)) > 3`:         {{1, 6, `mean needs a number, not text`}},
		`last(orders).amont > 3`:                {{1, 14, `did you mean ".amount"`}},
		`last(orders).product == "a"`:           {{1, 14, `list of products`}},
		`last(orders) > 3`:                      {{1, 6, `which fact`}},
		`orders.amount > 3`:                     {{1, 1, `last(orders).amount`}},
		`orders > 3`:                            {{1, 1, `any(orders, .amount > 20)`}},
		`any(touchs, .at > now())`:              {{1, 5, `did you mean "touches"`}},
		`any(responses, .kin == "click")`:       {{1, 17, `a response has no fact ".kin": did you mean ".kind"`}},
		`any(lines, any(orders, .amount > 1))`:  {{1, 12, `an order line: move it out`}},
		`contacts("mail") > 2`:                  {{1, 10, `"mail" is no channel`}},
		`any(events, .text == "a")`:             {{1, 14, `write .text("page")`}},
		`any(events, .text(city) == "a")`:       {{1, 14, `needs the name of a property`}},
		`any(events, .text("a", "b") == "a")`:   {{1, 14, `needs the name of a property`}},
		`any(events, .name("a") == "a")`:        {{1, 14, `not a function`}},
		`any(events, .number("a") == "a")`:      {{1, 14, `.number(...) is a number`}},
		`any(events, .txt("a") == "a")`:         {{1, 14, `did you mean ".text"`}},
		`any(orders, .text("a") == "a")`:        {{1, 14, `an order has no fact ".text"`}},
		`last(events).text > "a"`:               {{1, 14, `write .text("page")`}},
		`last(events).number("a", 1) > 1`:       {{1, 14, `needs the name of a property`}},
		`city.text("a") == "b"`:                 {{1, 6, `cannot be called on a value`}},
		`.text("a") == "b"`:                     {{1, 1, `belongs to an item`}},
		`did("veiwed", "30d")`:                  {{1, 5, `there has been no event "veiwed": did you mean "viewed"?`}},
		`did(city)`:                             {{1, 5, `an event's name in quotes`}},
		`did("viewed", "3x")`:                   {{1, 15, `is not a duration`}},
		`never(city == "a")`:                    {{1, 12, `never needs something that happened`}},
		`followed(clicked(), "7d")`:             {{1, 21, `followed needs something that happened`}},
		`followed(clicked(), bought(), "7x")`:   {{1, 31, `is not a duration`}},
		`as_of("2026-01-01", city == "a")`:      {{1, 21, `city is known only as it is now`}},
		`as_of("2026-01-01", in_list("House"))`: {{1, 21, `lists are known only as they are now`}},
		`as_of("soon", count(orders) > 1)`:      {{1, 7, `is not a date`}},
		`household(household(vip))`:             {{1, 11, `within a household`}},
		`household(any(household, .vip))`:       {{1, 15, `within a household`}},
		`household(city)`:                       {{1, 11, `household needs a condition`}},
		`any(household, .vipp)`:                 {{1, 17, `did you mean ".vip"`}},
		`household(top(5, total_spent))`:        {{1, 11, `top compares all customers`}},
		`top(5, city)`:                          {{1, 8, `needs a number or a time`}},
		`top(5, score, city)`:                   {{1, 15, `needs a condition`}},
		`any(orders, top(5, score))`:            {{1, 13, `move it out`}},
		`top(vip, score)`:                       {{1, 5, `whole number from 1 to 10000000`}},
		`hour(city) > 3`:                        {{1, 6, `hour needs a time`}},
		`(vip ? duration("1mo") : duration("1d")) > now() - created_at`: {{1, 8, `write it in days`}},
		`duration("1mo") > duration("29d")`:                             {{1, 17, `write it in days`}},
		strings.Repeat("bought() or ", 101) + "vip":                     {{1, 1201, `at most 100 looks`}},
		`city == 1 and contry == "a" and bought("X", "3x")`:             {{1, 1, `in quotes`}, {1, 15, `"country"`}, {1, 45, `is not a duration`}},
		"city == \"\xff\"":                                  {{1, 1, `UTF-8`}},
		strings.Repeat("vip and ", 1200) + "vip":            {{1, 1, `longer than 8192 bytes`}},
		strings.Repeat("(", 4000):                           {{1, 1, `never closed`}},
		strings.Repeat("not ", 300) + "vip":                 {{1, 801, `too large`}},
		strings.Repeat("vip or ", 400) + "vip":              {{1, 1398, `too large`}},
		strings.Repeat("1+", 60) + "1 > 0":                  {{1, 102, `computes too much`}},
		`created_at + (date("0001-01-01") - now()) < now()`: {{1, 34, `1000 years`}},
		`date("9999-12-31") + duration("1d") < now()`:       {{1, 20, `1 and 9999`}},
	} {
		err := s.Check(t.Context(), expression)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid {
			t.Errorf("%.60s: %v", expression, err)
			continue
		}
		for i, w := range want {
			if i >= len(f.Fields) || f.Fields[i].Line != w.line || !strings.Contains(f.Fields[i].Message, w.says) ||
				f.Fields[i].Column != w.column || f.Fields[i].Name != "expression" {
				t.Errorf("%.60s: got %+v, want %+v", expression, f.Fields, w)
				break
			}
		}
	}
}

func TestWhatIsAccepted(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 40)
	facts := allFacts(t, pool)
	for _, e := range Reference() {
		expression := e.Example
		expression = strings.NewReplacer(`"vip"`, `"vip"`, "spring-2026", "spring").Replace(expression)
		switch e.Name {
		case "list":
			expression = `list == "House"`
		}
		if err := disagreement(t.Context(), s, pool, facts, expression); err != nil {
			t.Errorf("%s: %s: %v", e.Name, expression, err)
		}
	}
	for _, expression := range []string{
		"", "  \n ", `country in ["DE", "AT"] and orders_count >= 3 and last_order_at < now() - duration("90d")`,
		`0 == sum(orders, orders_count)`, // found by TestEvaluatorsAgree: the sum was the outer query's
		`1 < orders_count < 4`, `orders | count(.amount > 20) >= 1`, `if vip { true } else { orders_count > 2 }`,
		`orders_count >= 2 // regulars` + "\n" + `/* and */ and vip`, `city == 'a'`, "city matches `^a`", `not any(orders, .at > ago("30d"))`,
		strings.Repeat("vip or ", 190) + "vip", strings.Repeat("(", 1000) + "vip" + strings.Repeat(")", 1000),
		strings.Repeat("not (", 190) + "vip" + strings.Repeat(")", 190), strings.Repeat("1+", 50) + "1 > 0",
	} {
		if err := disagreement(t.Context(), s, pool, facts, expression); err != nil {
			t.Errorf("%.80s: %v", expression, err)
		}
	}
}

// What is not known is neither equal nor unequal, and not turns that round.
func TestUnknown(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 0)
	exec(t, pool, `INSERT INTO customers (customer_id, created_at, updated_at) VALUES (1, $1, $1)`, testNow)
	facts := allFacts(t, pool)
	for expression, want := range map[string]bool{
		`city == "a"`: false, `city != "a"`: false, `not (city == "a")`: true, `not (city != "a")`: true, `is_known(city)`: false,
		`not vip`: true, `vip == false`: false, `score > 1 or score <= 1`: false, `(score ?? 3) > 2`: true, `city == country`: false,
		`city in ["a"]`: false, `city not in ["a"]`: true, `tags contains "a"`: false, `not (tags contains "a")`: true,
		`score / 0.5 > 0`: false, `(vip ? 1 : 2) == 2`: true, `is_known(score > 1)`: true, `sum(orders, .amount) == 0`: true, `all(orders, .amount > 1)`: true,
	} {
		count, err := s.Count(t.Context(), expression, Exact)
		if err != nil || (count.Count == 1) != want {
			t.Errorf("%s: SQL counts %d, %v", expression, count.Count, err)
		}
		if err := disagreement(t.Context(), s, pool, facts, expression); err != nil {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

// Segments that pull in others cannot grow without bound.
func TestSegmentsWithinSegments(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 0)
	for i, name := range []string{"b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9", "b10", "b11", "b12"} {
		before := "vip"
		if i > 0 {
			before = `in_segment("b` + string("0123456789"[i%10]) + `")`
		}
		if i == 10 || i == 11 {
			before = map[int]string{10: `in_segment("b10")`, 11: `in_segment("b11")`}[i]
		}
		exec(t, pool, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES ($1, $2, 'test', $3, $3)`,
			name, before+" and not "+before, testNow)
	}
	if err := s.Check(context.Background(), `in_segment("b3")`); err != nil {
		t.Error(err)
	}
	if err := s.Check(context.Background(), `in_segment("b12")`); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("4096 times the same: %v", err)
	}
}
