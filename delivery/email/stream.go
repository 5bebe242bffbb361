package email

import (
	"bytes"
	"errors"
	"net/textproto"
	"strings"
	"time"

	"aldine/delivery/bounce"
)

// stream hands over m and those after it until there are none, the stream's owner says stop, or the connection is of no
// more use. It gives the mail that was not begun because of that, and whether to go on with another connection.
//
// Where the relay allows it (RFC 2920), one write holds a mail's text and the commands of the next, so that each mail
// costs one round trip.
func (c *conn) stream(m *Mail, s Stream) (again *Mail, more bool) {
	c.pipelined, _ = c.client.Extension("PIPELINING")
	c.utf8, _ = c.client.Extension("SMTPUTF8")
	c.out = c.out[:0]
	var opened bool // whether m's commands are written
	for m != nil {
		if bad := c.badAddress(m); bad != nil {
			if !s.Done(m, bad) {
				return nil, false
			}
			m = s.Next()
			continue
		}
		if !opened && c.pipelined {
			c.out = appendOpen(c.out, m)
			c.flush()
		}
		if err := c.opened(m); err != nil {
			// A kept connection may have been closed meanwhile, or the relay wants a new one after so many mails: no reason to
			// make the mail wait.
			if c.broken && c.stale && (err.Code == 0 || err.Code == 421) {
				return m, true
			}
			if !s.Done(m, err) {
				return nil, false
			}
			if c.broken {
				return nil, true
			}
			m, opened = s.Next(), false
			continue
		}
		c.stale = false
		next := s.Next()
		if next != nil && c.badAddress(next) != nil {
			opened = false
		} else {
			opened = next != nil && c.pipelined
		}
		if s.Begin != nil {
			if err := s.Begin(m); err != nil {
				c.broken = true // the relay waits for the mail
				goOn := s.Done(m, &Error{Class: Transient, Held: true, Reason: "the mail was held back: " + err.Error(), Err: err})
				if next != nil && !goOn {
					s.Done(next, held(nil))
				}
				return when(goOn, next), goOn
			}
		}
		c.out = appendBodyOf(c.out, m.Body)
		if opened {
			c.out = appendOpen(c.out, next)
		}
		c.joined = opened
		c.flush()
		_, _, err := c.client.Text.ReadResponse(2) // any yes
		goOn := s.Done(m, c.after(err))
		if !goOn || c.broken {
			if opened {
				c.broken = true // the relay is about to wait for a mail that does not come
			}
			if next != nil && !goOn {
				s.Done(next, held(nil))
				return nil, false
			}
			return next, goOn
		}
		m = next
	}
	return nil, false
}

func when(b bool, m *Mail) *Mail {
	if b {
		return m
	}
	return nil
}

// badAddress tells why an address cannot be said to this relay. Where it is the sender's, that is so for all mails.
func (c *conn) badAddress(m *Mail) error {
	switch {
	case strings.ContainsAny(m.From, "\r\n<>") || strings.ContainsAny(m.To, "\r\n<>"):
		return &Error{Class: Refused, Reason: errAddress.Error()}
	case c.utf8:
	case beyondASCII(m.From):
		return &Error{Class: Refused, Cause: bounce.Policy, Reason: "the sender's address has letters outside ASCII, which the mail server does not take (it offers no SMTPUTF8)"}
	case beyondASCII(m.To):
		return &Error{Class: Refused, Alone: true, Reason: "the address has letters outside ASCII, which the mail server does not take (it offers no SMTPUTF8)"}
	}
	return nil
}

func beyondASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return true
		}
	}
	return false
}

// appendOpen writes the commands before a mail.
func appendOpen(b []byte, m *Mail) []byte {
	b = appendFrom(b, m)
	b = append(append(append(b, "RCPT TO:<"...), m.To...), ">\r\n"...)
	return append(b, "DATA\r\n"...)
}

func appendFrom(b []byte, m *Mail) []byte {
	b = append(append(append(b, "MAIL FROM:<"...), m.From...), '>')
	if beyondASCII(m.From) || beyondASCII(m.To) { // the relay offers it
		b = append(b, " SMTPUTF8"...)
	}
	return append(b, '\r', '\n')
}

// appendBodyOf writes a mail's text with its end; a line that begins with a dot gets a second one.
func appendBodyOf(b, body []byte) []byte {
	if bytes.HasPrefix(body, []byte(".")) {
		b = append(b, '.')
	}
	for {
		at := bytes.Index(body, []byte("\n."))
		if at < 0 {
			break
		}
		b = append(append(b, body[:at+1]...), '.')
		body = body[at+1:]
	}
	b = append(b, body...)
	if !bytes.HasSuffix(body, []byte("\n")) {
		b = append(b, '\r', '\n')
	}
	return append(b, '.', '\r', '\n')
}

// flush writes what was gathered. An error shows when the answer is read, and in watch.
func (c *conn) flush() {
	_ = c.watch.SetDeadline(time.Now().Add(answerTimeout))
	if _, err := c.client.Text.W.Write(c.out); err == nil {
		_ = c.client.Text.W.Flush()
	}
	c.out = c.out[:0]
}

// opened reads the answers to a mail's commands, giving them one by one first where the relay takes no more at a time.
// After an error the relay waits for a new mail, or the connection is broken.
func (c *conn) opened(m *Mail) *Error {
	if c.watch.failed {
		return c.lost(nil)
	}
	var first *Error
	for i, expect := range [...]int{250, 25, 354} {
		if !c.pipelined {
			switch i {
			case 0:
				c.out = appendFrom(c.out, m)
			case 1:
				c.out = append(append(append(c.out, "RCPT TO:<"...), m.To...), ">\r\n"...)
			case 2:
				c.out = append(c.out, "DATA\r\n"...)
			}
			c.flush()
		}
		_, _, err := c.client.Text.ReadResponse(expect)
		var answer *textproto.Error
		switch {
		case err == nil && i == 2 && first != nil: // a relay that wants the mail of an address it refused: hang up
			c.broken = true
		case err == nil:
		case !errors.As(err, &answer):
			if first == nil {
				first = c.lost(err)
			}
			c.broken = true
			return first
		case first == nil:
			first = answered(answer, stage(i))
			if answer.Code == 421 {
				c.broken = true
				return first
			}
		}
		if first != nil && !c.pipelined {
			break
		}
	}
	if first != nil && !c.broken && c.client.Reset() != nil {
		c.broken = true
	}
	return first
}

// Broke begins the reason of a mail during whose hand-over the connection broke, while the relay cannot have had all of it.
const Broke = "the connection to the mail server broke"

// lost is the error of a connection that broke before the mail itself.
func (c *conn) lost(err error) *Error {
	c.broken = true
	return &Error{Class: Transient, Reason: Broke + " before the mail was handed over", Err: err}
}
