package email

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"strings"
	"time"
)

// Layout is the fixed text of a mail's parts: of each one stretch more than there are values between them. HTML may be empty.
type Layout struct{ Subject, HTML, Text []string }

// Skeleton is a mail that is composed once; only what changes from one recipient to the next is written into it. It is
// safe for concurrent use.
type Skeleton struct {
	subject    []string
	text, html [][]byte // encoded stretches
	runs       [][]byte // of the whole mail, between the fields that follow
	order      []slot
}

// slot names what stands after a run.
type slot byte

const (
	slotTo slot = iota
	slotSubject
	slotID
	slotDate
	slotUnsubscribe
	slotLeave
	slotText
	slotHTML
)

// marks stand in for what changes while the skeleton is composed; none is changed by the encoding.
var marks = [...]string{
	slotTo: "aldineslotto@aldineslot.invalid", slotSubject: "aldineslotsubject", slotID: "aldineslotid@aldineslot.invalid",
	slotUnsubscribe: "aldineslotunsubscribe", slotLeave: "aldineslotleave@aldineslot.invalid", slotText: "aldineslottext", slotHTML: "aldineslothtml",
}

// markDate is a date that no mail has.
var markDate = time.Date(1901, 1, 2, 3, 4, 5, 0, time.UTC)

// Leave says how a mail can be left.
type Leave byte

// The ways.
const (
	LeaveNot    Leave = iota
	LeaveByLink       // RFC 8058
	LeaveByMail       // by link, and by a mail to Fields.LeaveAddress
)

// NewSkeleton composes the mail of a sender and a layout. The error says what cannot be written, usually the sender's address.
func NewSkeleton(fromName, from string, l Layout, leave Leave) (*Skeleton, error) {
	m := Message{ID: marks[slotID], FromName: fromName, From: from, To: marks[slotTo], Subject: marks[slotSubject], Text: marks[slotText], Date: markDate}
	if len(l.HTML) > 0 && (len(l.HTML) > 1 || l.HTML[0] != "") {
		m.HTML = marks[slotHTML]
	}
	if leave != LeaveNot {
		m.UnsubscribeURL = marks[slotUnsubscribe]
	}
	if leave == LeaveByMail {
		m.LeaveAddress = marks[slotLeave]
	}
	whole, err := Compose(m)
	if err != nil {
		return nil, err
	}
	s := &Skeleton{subject: l.Subject}
	for len(whole) > 0 {
		at, which := len(whole), slot(0)
		size := 0
		for i, mark := range marks {
			if slot(i) == slotDate {
				mark = markDate.Format(time.RFC1123Z)
			}
			if mark == "" {
				continue
			}
			if n := bytes.Index(whole, []byte(mark)); n >= 0 && n < at {
				at, which, size = n, slot(i), len(mark)
			}
		}
		s.runs = append(s.runs, whole[:at:at])
		if at == len(whole) {
			break
		}
		s.order = append(s.order, which)
		whole = whole[at+size:]
	}
	if len(s.runs) == len(s.order) {
		s.runs = append(s.runs, nil)
	}
	want := 5 // to, subject, id, date, text
	if m.HTML != "" {
		want++
	}
	want += int(leave)
	if len(s.order) != want {
		return nil, fmt.Errorf("the mail's skeleton has %d places instead of %d", len(s.order), want)
	}
	for _, t := range l.Text {
		s.text = append(s.text, stretch(t))
	}
	for _, t := range l.HTML {
		s.html = append(s.html, stretch(t))
	}
	return s, nil
}

// Fields are what changes from one recipient to the next. Subject, Text and HTML are the values of the layout.
type Fields struct {
	ID, To, UnsubscribeURL, LeaveAddress string
	Date                                 time.Time
	Subject, Text, HTML                  []string
}

var errAddress = errors.New("the address holds characters that no address may hold")

// Append writes the mail to b. The error says why this recipient's mail cannot be written.
func (s *Skeleton) Append(b []byte, f *Fields) ([]byte, error) {
	if len(f.To) > 320 || !strings.Contains(f.To, "@") || strings.ContainsFunc(f.To, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' || r == ',' || r == ';' }) {
		return b, errAddress
	}
	for i, run := range s.runs {
		b = append(b, run...)
		if i == len(s.order) {
			break
		}
		switch s.order[i] {
		case slotTo:
			b = append(b, f.To...)
		case slotID:
			b = append(b, f.ID...)
		case slotDate:
			b = f.Date.AppendFormat(b, time.RFC1123Z)
		case slotUnsubscribe:
			b = append(b, f.UnsubscribeURL...)
		case slotLeave:
			b = append(b, f.LeaveAddress...)
		case slotSubject:
			b = appendSubject(b, weave(s.subject, f.Subject))
		case slotText:
			b = appendBody(b, s.text, f.Text)
		case slotHTML:
			b = appendBody(b, s.html, f.HTML)
		}
	}
	return b, nil
}

func weave(fixed, values []string) string {
	if len(fixed) == 1 && len(values) == 0 {
		return oneLine(fixed[0])
	}
	var b strings.Builder
	for i, f := range fixed {
		b.WriteString(f)
		if i < len(values) {
			b.WriteString(values[i])
		}
	}
	return oneLine(b.String())
}

const lineLength = 76 // RFC 2045's limit, without the line's end

// appendSubject writes ASCII folded at spaces, everything else as encoded words.
func appendSubject(b []byte, s string) []byte {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) || strings.Contains(s, "=?") || longWord(s) {
		return append(b, strings.ReplaceAll(mime.BEncoding.Encode("UTF-8", forceEncoding(s)), "?= =?", "?=\r\n =?")...)
	}
	column := len("Subject: ")
	for i, word := range strings.Split(s, " ") {
		if i > 0 && column+1+len(word) > lineLength {
			b = append(b, '\r', '\n')
			column = 0
		}
		if i > 0 {
			b = append(b, ' ')
			column++
		}
		b = append(b, word...)
		column += len(word)
	}
	return b
}

func longWord(s string) bool {
	for word := range strings.SplitSeq(s, " ") {
		if len(word) > 900 {
			return true
		}
	}
	return false
}

// forceEncoding makes the encoder take a text that is all ASCII but must not stand as it is.
func forceEncoding(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return s
	}
	return s + "\u200b"
}

// stretch encodes fixed text as quoted-printable that begins and ends at the beginning of a line: soft line breaks, which no
// reader sees, part it from the values.
func stretch(s string) []byte { return appendQuoted(nil, s) }

// appendBody writes stretches and values in turn.
func appendBody(b []byte, fixed [][]byte, values []string) []byte {
	for i, f := range fixed {
		b = append(b, f...)
		if i < len(values) {
			b = appendQuoted(b, values[i])
		}
	}
	return b
}

const hexDigits = "0123456789ABCDEF"

// appendQuoted writes s as quoted-printable (RFC 2045, 6.7), from the beginning of a line to the beginning of a line. A
// dot there is written as =2E, so that no line needs SMTP's second dot.
func appendQuoted(b []byte, s string) []byte {
	column := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\r' && i+1 < len(s) && s[i+1] == '\n' {
			continue
		}
		if c == '\n' {
			b = append(b, '\r', '\n')
			column = 0
			continue
		}
		plain := c > ' ' && c <= '~' && c != '=' && (c != '.' || column > 0)
		if c == ' ' || c == '\t' { // not at the end of a line
			plain = i+1 < len(s) && s[i+1] != '\n' && s[i+1] != '\r'
		}
		width := 1
		if !plain {
			width = 3
		}
		if column+width > lineLength-1 {
			b = append(b, '=', '\r', '\n')
			column = 0
			plain = plain && c != '.'
			if !plain {
				width = 3
			}
		}
		if plain {
			b = append(b, c)
		} else {
			b = append(b, '=', hexDigits[c>>4], hexDigits[c&15])
		}
		column += width
	}
	if column > 0 {
		b = append(b, '=', '\r', '\n')
	}
	return b
}
