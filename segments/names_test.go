package segments

import (
	"context"
	"slices"
	"strings"
	"testing"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/internal/pgtest"
)

// A word of the language cannot become an attribute; the refusal says why.
func TestWordsOfTheLanguageAreReserved(t *testing.T) {
	t.Parallel()
	people := customers.New(customers.Deps{Pool: pgtest.New(t)})
	words := strings.Fields("orders lines responses touches events household and or not in let if else true false nil contains matches")
	for _, f := range functions() {
		words = append(words, f.name)
	}
	for _, f := range coreFields {
		words = append(words, f.name)
	}
	for _, word := range words {
		_, err := people.DefineAttribute(t.Context(), customers.Attribute{Name: word, Type: customers.Text})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), `"`+word+`" already means something in expressions; choose another name`) {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// An attribute that has had the name of a collection or a function from before stays reachable, and takes nothing away.
func TestAttributesNamedLikeTheLanguage(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 40)
	for _, name := range []string{"lines", "responses", "touches", "household", "top", "year", "never", "bought", "events", "did", "rfm", "monetary_score"} {
		exec(t, pool, `INSERT INTO attributes (name, label, type, column_name, created_at) VALUES ($1, $1, 'text', 'a_' || $1, $2)`, name, testNow)
		exec(t, pool, `ALTER TABLE customers ADD COLUMN a_`+name+` text`)
		exec(t, pool, `UPDATE customers SET a_`+name+` = CASE WHEN customer_id % 2 = 0 THEN 'x' END`)
	}
	exec(t, pool, `INSERT INTO attributes (name, label, type, column_name, created_at) VALUES ('list', 'list', 'text', 'a_list', $1)`, testNow)
	exec(t, pool, `ALTER TABLE customers ADD COLUMN a_list text`)
	if catalog, err := LoadCatalog(t.Context(), pool); err != nil || !slices.Equal(catalog.Hidden(), []string{"list"}) {
		t.Errorf("hidden: %v, %v", catalog.Hidden(), err)
	}
	exec(t, pool, `UPDATE customers SET a_list = 'x'`)
	facts := allFacts(t, pool)
	for _, name := range []string{"lines", "responses", "touches", "household", "top", "year", "never", "bought", "events", "did", "rfm", "monetary_score"} {
		count, err := s.Count(t.Context(), name+` == "x"`, Exact)
		even, evenErr := s.Count(t.Context(), "nth(2)", Exact)
		if err != nil || evenErr != nil || count.Count != even.Count {
			t.Errorf("%s: %+v, %v, want %+v", name, count, err, even)
		}
	}
	for _, expression := range []string{`list == "House" or list == "x"`, `lines == "x" and any(lines, .quantity > 0)`, `responses == "x" or count(responses) > 1`, `touches contains "x" and none(touches, .channel == "post")`,
		`household == "x" or household(vip) or any(household, .household == "x" and .lines == "x")`, `top == "x" and top(5, score)`, `year == "x" and year(created_at) == 2026`,
		`never == "x" and never(clicked()) or bought == "x" and bought("a")`, `any(lines, .product == lines)`, `rfm == "x" and recency_score > 1 or any(household, .monetary_score == "x" and .frequency_score == 1)`, `events == "x" and did("viewed") or did == "x" and any(events, .text("page") == events)`} {
		if err := disagreement(t.Context(), s, pool, facts, expression); err != nil {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

// An attribute that is being added is not unknown; the read-only role hears nothing of a private one.
func TestAttributesBeingAdded(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 10)
	for name, private := range map[string]bool{"shoe_size": false, "wage": true} {
		exec(t, pool, `INSERT INTO coming_attributes (name, label, type, description, private, created_by, created_at) VALUES ($1, $1, 'number', '', $2, '', $3)`, name, private, testNow)
	}
	reader := access.With(t.Context(), access.Actor{Kind: "user", Role: access.ReadOnly})
	for _, c := range []struct {
		ctx              context.Context
		expression, says string
	}{
		{t.Context(), "shoe_size > 40", "the attribute shoe_size is being added"},
		{t.Context(), "wage > 1", "the attribute wage is being added"},
		{reader, "shoe_size > 40", "the attribute shoe_size is being added"},
		{reader, "wage > 1", `unknown name "wage"`},
	} {
		if _, err := s.Count(c.ctx, c.expression, Exact); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.expression, err, c.says)
		}
	}
}
