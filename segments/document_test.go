package segments

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fragments are in the document's text without being expressions by themselves.
var fragments = strings.Fields("and or not && || ! == != < <= > >= x a b mo y true false `text` year month day weekday hour not startsWith endsWith orders lines responses touches events household filter map + (?m) \\b")

// Every example of docs/segments.md is an expression that runs and means the same to both evaluators.
func TestExamplesOfTheDocument(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 40)
	exec(t, pool, `INSERT INTO campaigns (code, name, objective, currency, state, created_by, created_at, updated_at) VALUES ('spring-2026', 'Spring', 'reactivation', 'USD', 'running', 'test', $1, $1)`, testNow)
	exec(t, pool, `INSERT INTO lists (name, kind, created_at) VALUES ('Herb Society', 'rented', $1), ('spring run', 'merged', $1)`, testNow)
	facts := allFacts(t, pool)
	file, err := os.ReadFile("../docs/segments.md")
	if err != nil {
		t.Fatal(err)
	}
	spans := regexp.MustCompile("`([^`]+)`")
	var examples, others []string
	block, table := false, ""
	for _, line := range strings.Split(string(file), "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			block = !block
		case block:
			examples = append(examples, line)
		case strings.HasPrefix(line, "## "):
			table = line
		case strings.HasPrefix(line, "|") && table != "## How to write it":
			if found := spans.FindAllStringSubmatch(line, -1); found != nil {
				examples = append(examples, found[len(found)-1][1])
			}
		case !strings.HasPrefix(line, "|"):
			for _, span := range spans.FindAllStringSubmatch(line, -1) {
				others = append(others, strings.ReplaceAll(span[1], `\|`, "|"))
			}
		}
	}
	if len(examples) < 90 {
		t.Errorf("%d examples only", len(examples))
	}
	for _, example := range append(examples, others...) {
		if slices.Contains(others, example) {
			if words := strings.Fields(example); !slices.ContainsFunc(words, func(w string) bool {
				return !slices.Contains(fragments, w) && !slices.Contains(strings.Fields("any all none one count sum min max mean first last"), w)
			}) {
				continue
			}
			if slices.Contains([]string{`not (x > 5)`, `matches "(?i)..."`, `date("2026-01-31")`, `ago("1mo")`, `household(...)`}, example) {
				continue
			}
		}
		if err := disagreement(t.Context(), s, pool, facts, example); err != nil {
			t.Errorf("%s: %v", example, err)
		}
	}
}
