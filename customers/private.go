package customers

import (
	"context"
	"strings"

	"aldine/internal/access"
)

// Private are the names of attributes that an actor may not see.
type Private map[string]bool

// Hidden gives the names of the attributes that the actor may not see: of those that are private all, to whoever may not write segments.
// The scripts of calls have them filled in all the same.
func Hidden(ctx context.Context, q Querier) (Private, error) {
	if access.From(ctx).Role.May(access.SegmentsWrite) {
		return nil, nil //nolint:nilnil // none
	}
	all, err := allAttributes(ctx, q)
	hidden := Private{}
	for _, a := range all {
		if a.Private {
			hidden[a.Name] = true
		}
	}
	return hidden, err
}

// In tells whether one of the names stands in a text as a word.
func (p Private) In(text string) bool {
	if len(p) == 0 {
		return false
	}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		if p[word] {
			return true
		}
	}
	return false
}
