package web

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"aldine/internal/fault"
)

type mailPage struct {
	frame
	ReceivedAt                    time.Time
	SentTo, Source, Verdict, Text string
	Cut                           string // "" where all of it is there
}

var mailView = pageView[mailPage]("mail")

// mailShow shows the mail behind a response as text: whatever a stranger wrote, nothing of it is markup.
func (p *Pages) mailShow(c echo.Context) error {
	id, err := uuid.Parse(c.Param("id"))
	if err != nil {
		return fault.New(fault.NotFound, "There is no such response")
	}
	k, err := p.Inbound.Mail(ctx(c), id)
	if err != nil {
		return err
	}
	page := mailPage{frame: p.frame(c, customersPlace, "Mail as it came"), ReceivedAt: k.ReceivedAt, SentTo: k.SentTo, Source: k.Source, Text: legible(k.Body), Verdict: k.Kind}
	if k.Outcome != "" {
		page.Verdict += ", " + k.Outcome
	}
	if k.Reason != "" {
		page.Verdict += ": " + k.Reason
	}
	if k.Bytes > len(k.Body) {
		page.Cut = fmt.Sprintf("the first %d of %d KB", len(k.Body)>>10, (k.Bytes+1023)>>10)
	}
	return show(p, c, mailView, page)
}

// legible makes bytes valid text; what cannot be seen, or would turn the line about, becomes a sign that can.
func legible(b []byte) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return -1
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(string(b), "\uFFFD"))
}
