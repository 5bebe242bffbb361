package web

import (
	"fmt"
	"strconv"
	"strings"

	"aldine/campaigns/journey"
)

// describeStep puts a step into words: what it is, what it says, and where it leads.
func describeStep(s journey.StepDef) (title, text string, leads []string) {
	to := func(next string) string {
		if next == "" {
			return "the end"
		}
		return next
	}
	next := []string{"then " + to(s.Next)}
	switch s.Type {
	case "email", "sms", "post", "calls":
		if _, err := strconv.Atoi(s.Template); s.Template != "" && err != nil { // a number would tell nobody anything
			text = "“" + s.Template + "”"
		}
		if s.Dedup != "" && s.Dedup != "person" {
			text = strings.TrimPrefix(text+", one per "+sayDedup(s.Dedup), ", ")
		}
		if w, ok := s.Hours(); ok {
			text = strings.TrimPrefix(text+", "+w.Words(), ", ")
			if w.Local {
				text += " by the customer's clock"
			}
		}
		return mediumName(s.Type), text, next
	case "wait":
		switch {
		case s.Until != nil:
			text = "until " + s.Until.UTC().Format("2 Jan 2006 15:04") + " UTC"
		case s.UntilResponse != "":
			text = "until the response " + strconv.Quote(s.UntilResponse)
			if s.Timeout != "" {
				text += ", at most " + s.Timeout
			}
		default:
			text = s.For
		}
		return "Wait", text, next
	case "branch":
		return "Branch", "if " + s.If, []string{"yes: " + to(s.Then), "no: " + to(s.Else)}
	case "split":
		total := 0
		for _, a := range s.Arms {
			total += a.Weight
		}
		for _, a := range s.Arms {
			leads = append(leads, fmt.Sprintf("%d%%: %s", a.Weight*100/max(total, 1), to(a.Next)))
		}
		return "Split", "at random, the same again each time", leads
	case "goal":
		return "Goal", "leaves as won if " + s.If, []string{"otherwise " + to(s.Next)}
	case "end":
		return "End", "", nil
	}
	return s.Type, "", next
}

func sayDedup(by string) string {
	switch by {
	case "email":
		return "e-mail address"
	case "phone":
		return "phone number"
	case "address":
		return "postal address"
	}
	return by
}

func number64(n int64) string { return strconv.FormatInt(n, 10) }

// wholeNumber reads an optional number; "" is 0.
func wholeNumber(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	return strconv.ParseInt(s, 10, 64)
}
