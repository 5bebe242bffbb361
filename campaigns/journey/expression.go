package journey

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"aldine/internal/fault"
)

// expressionPattern cuts an expression into comments, strings, openings of calls, parentheses and the rest.
var expressionPattern = regexp.MustCompile("(?s)/\\*.*?\\*/|//[^\n]*|\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`[^`]*`|[A-Za-z_][A-Za-z0-9_]*\\s*\\(|[()]")

// campaignFunctions take a campaign's code.
var campaignFunctions = []string{"opened", "clicked", "responded", "replied", "received", "contacted", "ordered", "sent", "unsubscribed", "bounced"}

// OwnCampaign puts a campaign's code where an expression gives "this" to a function of campaigns: clicked("this").
// Strings elsewhere stay as they are.
func OwnCampaign(expression, code string) string {
	var calls []string // functions whose parentheses are open
	return expressionPattern.ReplaceAllStringFunc(expression, func(s string) string {
		switch last := s[len(s)-1]; {
		case last == '(':
			calls = append(calls, strings.TrimSpace(s[:len(s)-1]))
		case s == ")" && len(calls) > 0:
			calls = calls[:len(calls)-1]
		case len(s) == 6 && s[1:5] == "this" && len(calls) > 0 && slices.Contains(campaignFunctions, calls[len(calls)-1]):
			return strconv.Quote(code)
		}
		return s
	})
}

// segmentPattern is expressionPattern with in_segment("name") as a whole.
var segmentPattern = regexp.MustCompile("in_segment\\s*\\(\\s*(\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`[^`]*`)\\s*\\)|" + expressionPattern.String())

const (
	maxNesting    = 20
	maxExpression = 100_000 // bytes
)

// InlineSegments puts the expressions of saved segments in the place of in_segment("name"), so that a frozen expression
// does not change with them. segments gives the expression of a name. Fails with Invalid where one is not known or they
// nest without end.
func InlineSegments(expression string, segments func(name string) (string, bool)) (string, error) {
	return inline(expression, segments, maxNesting)
}

func inline(expression string, segments func(string) (string, bool), depth int) (string, error) {
	var failed error
	out := segmentPattern.ReplaceAllStringFunc(expression, func(s string) string {
		m := segmentPattern.FindStringSubmatch(s)
		if m[1] == "" || failed != nil {
			return s
		}
		name := m[1][1 : len(m[1])-1]
		if unquoted, err := strconv.Unquote(m[1]); err == nil && m[1][0] == '"' {
			name = unquoted
		}
		inner, ok := segments(name)
		switch {
		case !ok:
			failed = fault.BadField("expression", "There is no segment %q", cut(name))
			return s
		case depth == 0:
			failed = fault.BadField("expression", "Segments are nested more than %d deep", maxNesting)
			return s
		case strings.TrimSpace(inner) == "":
			return "true"
		}
		if inner, failed = inline(inner, segments, depth-1); failed != nil {
			return s
		}
		return fmt.Sprintf("(%s\n)", inner) // the line's end closes a comment
	})
	if failed == nil && len(out) > maxExpression {
		failed = fault.BadField("expression", "The expression with its segments is too long")
	}
	return out, failed
}
