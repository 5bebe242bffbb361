package segments

import (
	"errors"
	"os"
	"strings"
	"testing"

	"aldine/internal/fault"
)

// mistakes are what people who write expressions get wrong, alone and several at once.
var mistakes = []string{
	// Habits from other languages.
	`city = "Berlin"`, `city = "Berlin" and country = "DE"`, `city <> "Berlin" or vip = true`, `city == "Berlin" AND vip OR score > 3`, `city LIKE "B%"`,
	`score BETWEEN 1 AND 5`, `vip and orders_count between 1 and 5`, `city IS NULL`, `email is not null and vip`, `city == null`, `NOT vip`, `city IN ("a", "b")`, `city in ("a", "b") and vip`,
	`city == “Berlin”`, `country == ‚DE‘ and vip`, `orders_count >= 1,5`, `score > 1.5.2`, `orders_count => 3`, `orders_count =< 3 and contry == "DE"`, `orders_count ≥ 3`, `score > 10%`,
	`city === "a"`, `city == 'Berlin"`, `vip & score > 1`, `vip | score > 1`, `!vip AND not vip`, `if vip then 1 else 2`, `score > 3; vip`, `last_order_at > 2026-01-31`,
	`last_order_at > "2026-01-31"`, `last_order_at > 31.01.2026`, `created_at < "30d"`, `created_at < duration("30d")`, `SELECT * FROM customers`, `city == "a" # note`, `@city == "a"`, `$score > 1`,
	// Things left out, and too many of them.
	`city ==`, `== "Berlin"`, `city == "Berlin" and`, `and city == "Berlin"`, `city == "a" and or vip`, `(city == "a" and vip`, `city == "a") and vip`, `((vip) and (score > 1)`, `any(orders, .amount > 20`,
	`any(orders, .amount >)`, `any(orders .amount > 20)`, `any(orders)`, `any()`, `count(orders, )`, `city in ["a", "b"`, `city in ["a" "b"]`, `city in []`, `vip ? 1`, `vip ? score > 1 :`, `bought("X",, "3d")`,
	`city "Berlin"`, `city == "Berlin" country == "DE"`, `city == "Berlin`, `vip and (score > and income < 5)`, `tags contains`, `not`, `()`, `vip and ()`,
	// Unknown names and wrong types.
	`contry == "DE" and scor > 3 and vpi`, `postcode == "10115" and surname == "K"`, `orders_count > "3" and postal_code == 10115`, `city > 3 or vip == "yes" or tags == "a" or score contains "x"`,
	`buoght("X") and in_segment("vop") and in_list("Hause") and clicked("sprang", "3x")`, `any(orders, .amont > 3 and .plase == "web" and amount > 1)`, `any(order, .amount > 3)`,
	`orders_count`, `city and vip`, `not city`, `score + city > 3`, `sum(orders, .place) > 3`, `last(orders).amont > 3 and first(responses).kin == "click"`, `top(5, city)`, `followed(clicked(), "7d")`,
	`birthday_within("7 days") and ago("3m") > created_at`, `city matches "(" and city matches "\\bx"`, `contacts("mail", "90d") <= 2`, `never(vip)`, `as_of("2026-13-01", count(orders) > 1)`,
	`household(city) or any(household, .citty == "a")`, `bucket("x", 0, 200) and nth(0)`, `year(city) == 2026`, `max(orders, .amount) > 3`, `orders.amount > 3`, `email.domain == "x"`,
	// Habits of those who speak German, of spreadsheets, of SQL and of programs.
	`land == "DE" und plz startsWith "10" ODER nicht vip`, `country == DE or city in [Berlin, "Bonn"]`, `country is "DE" and email is not known`, `email is empty`, `email ENDSWITH "@example.org"`, `tags has "a"`,
	`email ends with ".org"`, `score from 1 to 5`, `COUNTIF(orders, .amount > 20) > 2 and contry == "DE"`, `AVG(orders, .amount) > 20`, `SUM(orders, .amount) > 100`, `UND(vip; score > 3)`, `IF(vip; 1; 2) == 1`, `ISBLANK(email)`,
	`coalesce(city, "x") == "x"`, `upper(city) == "BERLIN"`, `len(orders) > 2`, `len(city) > 3`, `round(score) == 3`, `today() > created_at`, `last_order_at > today - 30`, `last_order_at > now() - 30`, `last_order_at > 30d`,
	`DATEDIFF(now(), last_order_at) > 30`, `now() - last_order_at > 30`, `age >= 18`, `birthday > 1980`, `birthday.month == 3`, `month(last_order_at) == "May"`, `vip == yes`, `vip == 1`, `count(*) > 3`, `orders where .amount > 20`,
	`orders.filter(.amount > 20).count() > 2`, `orders.any(.amount > 20)`, `orders(.amount > 20)`, `order.amount > 20`, `orders[0].amount > 20`, `last(orders)?.amount > 20`, `city[0:2] == "Be"`, `now().Year == 2026`, `let x = 3`,
	`city ?? "x" == "x"`, `if vip { true }`, `any(tags, # == "a")`, `tags == ["a", "b"]`, `tags in ["a", "b"]`, `city == "a" or "b"`, `city in ["a" or "b"]`, `city in ["a"; "b"]`, `city in {"a", "b"}`, `score >= 1 and <= 5`, `city not == "a"`,
	`city !in ["a"]`, `score > 1.000,50`, `score > 1,000`, `score > 10€`, `score > $10`, `score > "10 EUR"`, `score > 0x1p4`, `99999999999999999999 > score`, `"city" == "a" and is_known("email")`, `bought("ROSES") > 3`, `bucket("x", 50, 20)`,
	`household(.city == "a")`, `any(orders, .amount > 3, .place == "web")`, `city == 'it''s'`, `city == "it\'s"`, `// vip`, `vip # note`, "vip and\u200bscore > 3", "\u0441ity == \"a\"", `customer.city == "a"`, `top(10%, score)`,
	`any(responses, .kind == "clicked") and any(touches, .channel in ["mail", "post"]) and last(responses).kind != "Order"`,
	// Several kinds at once.
	`contry = "DE" and any(orders, .amont > 3) and last_order_at > "2026-01-31"`,
	`any(orders, .amont > 3 and .place = "web") and scor > 3`,
	"city = \"a\"\n  and contry == \"DE\"\n  and orders_count > \"3\"\n  or bought(\"X\", \"ninety days\"",
	`(contry == "DE" or (city = "Bonn" and any(orders, .at >))) and vip == 3`,
	`in_segment("vop") and (city == "a" or) and any(lines, .categry == "x" or .amount = 3)`,
	`any(events, .text == "a" and .numer("x") > 1 and .name("viewed"))`, `did("veiwed") and any(events, .text("page" == "x") and .value = 3)`, `any(events, .text("page") = "x") and vpi`,
	`household(city = "a") and as_of("2026-01-01", count(orders) >) and scor > 1`,
}

// What a marketer reads about these mistakes stands in testdata/faults.golden: every fault under the part that it means.
func TestFaultsReadable(t *testing.T) {
	t.Parallel()
	const path = "testdata/faults.golden"
	s, _ := world(t, 0)
	var b strings.Builder
	for _, expression := range mistakes {
		err := s.Check(t.Context(), expression)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Fields) == 0 {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		for n, line := range strings.Split(expression, "\n") {
			b.WriteString(line + "\n")
			for _, field := range f.Fields {
				if field.Line == n+1 {
					b.WriteString(strings.Repeat(" ", field.Column-1) + strings.Repeat("^", min(field.Length, max(1, len([]rune(line))-field.Column+1))) + " " + field.Message + "\n")
				}
				if field.Length < 1 || field.Line < 1 || field.Column < 1 || field.Column > len([]rune(expression))+1 {
					t.Errorf("%s: not a place: %+v", expression, field)
				}
			}
		}
		b.WriteString("\n")
	}
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != b.String() {
		t.Errorf("%s differs (%v): run go test ./segments -update and read the difference", path, err)
	}
}
