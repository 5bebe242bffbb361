package segments

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aldine/internal/fault"
)

// Expressions with words and signs lost, doubled, exchanged or put in at random: each is refused with faults that lie within
// it, or runs and means the same to both evaluators.
func TestMutilatedExpressions(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 30)
	catalog, err := LoadCatalog(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	facts := allFacts(t, pool)
	u := &universe{s: s, catalog: catalog, facets: facetsOf(catalog), saved: savedNames{"vip", "nested", "home", "quiet"}}
	odd := strings.Fields(`and or not in ( ) [ ] { } , . == = != < > + - * / % ?? ? : ; | # $x "a" 'b' 1 2.5 1e9 true nil let if else any count filter map orders household last top now() duration("1mo") .amount .at vip city score created_at`)
	refused, ran := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		for range 40 {
			expression := source{t: rt, u: u}.cond(rapid.IntRange(0, 3).Draw(rt, "depth"))
			tokens := scan([]rune(expression))
			var words []string
			for _, token := range tokens {
				words = append(words, token.text)
			}
			for range rapid.IntRange(1, 3).Draw(rt, "changes") {
				i := rapid.IntRange(0, len(words)-1).Draw(rt, "at")
				switch rapid.IntRange(0, 3).Draw(rt, "change") {
				case 0:
					words[i] = ""
				case 1:
					words[i] = rapid.SampledFrom(odd).Draw(rt, "word")
				case 2:
					words[i] += " " + rapid.SampledFrom(odd).Draw(rt, "word")
				default:
					j := rapid.IntRange(0, len(words)-1).Draw(rt, "other")
					words[i], words[j] = words[j], words[i]
				}
			}
			expression = strings.Join(words, " ")
			if _, err := catalog.Compile(expression, testNow); err != nil {
				refused++
				var wrong *fault.Error
				if !errors.As(err, &wrong) || wrong.Kind != fault.Invalid {
					rt.Fatalf("%s\n%v", expression, err)
				}
				if place := misplaced(expression, wrong); place != nil {
					rt.Fatalf("%s\nnot a place: %+v", expression, *place)
				}
				continue
			}
			ran++
			if err := disagreement(t.Context(), s, pool, facts, expression); err != nil {
				rt.Fatalf("%s\n%v", expression, err)
			}
		}
	})
	if refused < 1000 || ran < 100 {
		t.Errorf("%d were refused, %d ran", refused, ran)
	}
}

// misplaced gives a fault that says nothing, or lies outside of the expression.
func misplaced(expression string, wrong *fault.Error) *fault.Field {
	lines := strings.Split(expression, "\n")
	for i, f := range wrong.Fields {
		if f.Line < 1 || f.Line > len(lines) || f.Column < 1 || f.Column > len([]rune(lines[f.Line-1]))+1 || f.Length < 1 || f.Message == "" {
			return &wrong.Fields[i]
		}
	}
	if n := len(wrong.Fields); n == 0 || n > maxFaults {
		return &fault.Field{Message: "none, or too many"}
	}
	return nil
}
