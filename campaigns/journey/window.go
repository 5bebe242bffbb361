package journey

import (
	"strings"

	"aldine/internal/pace"
)

// Hours gives the hours of the week in which a step's messages may go; ok is false where the settings' hold.
func (s StepDef) Hours() (w pace.Window, ok bool) {
	if s.Window == "" {
		return w, false
	}
	w, err := pace.ParseWindow(s.Window)
	return w, err == nil
}

func (p *parser) window(i int, s *StepDef) {
	w, err := pace.ParseWindow(s.Window)
	switch {
	case s.Window == "":
	case s.Type == "post" || s.Type == "calls":
		p.fail(field(i, "window"), "Only e-mails and SMS have hours of their own: calls keep the settings' hours, letters are printed at once")
	case err != nil:
		p.fail(field(i, "window"), "%s", strings.ToUpper(err.Error()[:1])+err.Error()[1:])
	default:
		s.Window = w.String()
	}
}
