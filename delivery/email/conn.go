package email

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// conn is one connection to the relay, used by one sender at a time.
type conn struct {
	client *smtp.Client
	watch  *watched
	used   time.Time
	broken bool // not to be used again
}

// watched remembers whether a write failed. The final dot goes out with the last write: where that failed, the relay
// cannot have seen a whole mail (under TLS the last record is incomplete), where it did not, the relay may have.
type watched struct {
	net.Conn
	failed bool
}

// Write passes through.
func (w *watched) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	if err != nil || n < len(b) {
		w.failed = true
	}
	return n, err
}

func (c *conn) send(from, to string, body []byte) error {
	if strings.ContainsAny(from+to, "\r\n<>") {
		return &Error{Class: Refused, Reason: "the address holds characters that no address may hold"}
	}
	_ = c.watch.SetDeadline(time.Now().Add(answerTimeout))
	option := ""
	if strings.ContainsFunc(from+to, func(r rune) bool { return r > '~' }) {
		option = " SMTPUTF8"
	}
	if err := c.open("MAIL FROM:<"+from+">"+option, "RCPT TO:<"+to+">", "DATA"); err != nil {
		return err
	}
	w := c.client.Text.DotWriter()
	if _, err := w.Write(body); err != nil {
		c.broken = true
		return &Error{Class: Transient, Reason: "the connection to the mail server broke while the mail was handed over", Err: err}
	}
	_ = w.Close() // a failed write shows in watch
	_, _, err := c.client.Text.ReadResponse(250)
	return c.after(err)
}

// open sends the commands before a mail: all at once where the relay allows that, which saves two round trips.
func (c *conn) open(mail, rcpt, data string) error {
	commands := []string{mail, rcpt, data}
	expect := []int{250, 25, 354}
	pipelined, _ := c.client.Extension("PIPELINING")
	text := c.client.Text
	var first error
	for i := range commands {
		if i == 0 && pipelined {
			if err := text.PrintfLine("%s", strings.Join(commands, "\r\n")); err != nil {
				return c.before(err, false)
			}
		} else if !pipelined {
			if err := text.PrintfLine("%s", commands[i]); err != nil {
				return c.before(err, false)
			}
		}
		_, _, err := text.ReadResponse(expect[i])
		var answer *textproto.Error
		switch {
		case err == nil && i == 2 && first != nil: // a relay that wants the mail of an address it refused: hang up
			c.broken = true
		case err == nil:
		case !errors.As(err, &answer):
			return c.before(err, false)
		case first == nil:
			first = err
		}
		if first != nil && !pipelined {
			return c.before(first, i > 0)
		}
	}
	if first != nil {
		return c.before(first, true)
	}
	return nil
}

// before judges an error that came before the mail itself; open tells that the relay keeps half a transaction.
func (c *conn) before(err error, open bool) error {
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		c.broken = true
		return &Error{Class: Transient, Reason: "the connection to the mail server broke before the mail was handed over", Err: err}
	}
	if open && !c.broken && answer.Code != 421 && c.client.Reset() != nil {
		c.broken = true
	}
	return answered(answer)
}

// after judges the answer to the final dot.
func (c *conn) after(err error) error {
	if err == nil {
		return nil
	}
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return answered(answer)
	}
	c.broken = true
	if c.watch.failed {
		return &Error{Class: Transient, Reason: "the connection to the mail server broke while the mail was handed over", Err: err}
	}
	return &Error{Class: Unknown, Reason: "no answer from the mail server after the mail was handed over", Err: err}
}

func answered(a *textproto.Error) *Error {
	class := Refused
	if a.Code < 500 {
		class = Transient // 4xx, and codes that have no business here
	}
	return &Error{Class: class, Code: a.Code, Reason: clip(fmt.Sprintf("%d %s", a.Code, a.Msg)), Err: a}
}

func (c *conn) quit() {
	_ = c.watch.SetDeadline(time.Now().Add(time.Second))
	_ = c.client.Quit()
	_ = c.watch.Close()
}

func (c *conn) hangUp() { _ = c.watch.Close() }

func clip(s string) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "?")
	if r := []rune(s); len(r) > 200 {
		return string(r[:200])
	}
	return s
}
