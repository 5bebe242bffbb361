package content

import (
	"context"
	"strings"

	"github.com/osteele/liquid/parser"
)

// HideWith says which templates are shown without their words: veil gives, for the actor, what tells of a template's tags whether they
// ask for something that is not to be seen. To be called before the store is used.
func (s *Store) HideWith(veil func(context.Context) (func(tags string) bool, error)) { s.veil = veil }

// seen leaves out of templates what the actor may not see.
func (s *Store) seen(ctx context.Context, list []Template, err error) ([]Template, error) {
	if err != nil || s.veil == nil {
		return list, err
	}
	hides, err := s.veil(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if t := &list[i]; hides(t.tags()) {
			t.Subject, t.HTML, t.Body, t.Hidden = "", "", "", true
		}
	}
	return list, nil
}

// tags gives what a template says within its tags, comments too: it is no words for people.
func (t Template) tags() string {
	var b strings.Builder
	for _, source := range []string{t.Subject, t.HTML, t.Body} {
		comments := 0
		for _, tok := range parser.Scan(source, parser.SourceLoc{LineNo: 1}, nil) {
			if tok.Type != parser.TextTokenType || comments > 0 {
				b.WriteString(tok.Source)
				b.WriteByte('\n')
			}
			switch {
			case tok.Type == parser.TagTokenType && tok.Name == "comment":
				comments++
			case tok.Type == parser.TagTokenType && tok.Name == "endcomment":
				comments--
			}
		}
	}
	return b.String()
}
