package bounce

import "strings"

// Answer judges a mail server's refusal of one mail: the reply code, and the text that came with it. status is the enhanced
// code in it, "" where there is none.
func Answer(code int, text string) (kind Kind, cause Cause, status string) {
	status, _ = codes(text)
	r := Report{Status: status, Code: code}
	r.judge(text, text)
	if strings.HasPrefix(status, "5.7.") && r.Kind != Hard && r.Cause != Content { // a refusal for policy, whatever its words sound like
		r.Cause = Policy
	}
	return r.Kind, r.Cause, r.Status
}
