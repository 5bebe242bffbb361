package email

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"aldine/delivery/bounce"
)

// conn is one connection to the relay, used by one sender at a time.
type conn struct {
	client *smtp.Client
	watch  *watched
	used   time.Time
	broken bool // not to be used again
	stale  bool // was kept, and nothing has come over it since

	pipelined bool
	utf8      bool   // the relay takes addresses with letters outside ASCII
	joined    bool   // the last write held more than the mail
	out       []byte // gathered for one write
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

// after judges the answer to the final dot.
func (c *conn) after(err error) error {
	if err == nil {
		return nil
	}
	var answer *textproto.Error
	if errors.As(err, &answer) && answer.Code >= 400 { // any other answer is to something else: who knows what
		c.broken = answer.Code == 421
		return answered(answer, atText)
	}
	c.broken = true
	if c.watch.failed && !c.joined {
		return &Error{Class: Transient, Reason: Broke + " while the mail was handed over", Err: err}
	}
	return &Error{Class: Unknown, Reason: "no answer from the mail server after the mail was handed over", Err: err}
}

// stage is what an answer answers.
type stage int

const (
	atSender stage = iota
	atRecipient
	atData
	atText // the mail itself
)

// ErrStopped is what Begin fails with when the mail is not to be sent after all.
var ErrStopped = errors.New("stopped")

// answered tells the answers apart: 4xx, and codes that have no business here, say nothing about the mail for good. The words
// of a refusal tell whether it is the address, the mail or its sender that the relay does not like; before the recipient is
// named it can only be the sender, and once the address was taken only a code of RFC 3463 says that it does not exist after all.
func answered(a *textproto.Error, at stage) *Error {
	e := &Error{Class: Transient, Code: a.Code, Reason: clip(fmt.Sprintf("%d %s", a.Code, a.Msg)), Err: a}
	if a.Code < 500 {
		return e
	}
	e.Class = Refused
	var kind bounce.Kind
	kind, e.Cause, e.Status = bounce.Answer(a.Code, a.Msg)
	e.Hard = kind == bounce.Hard
	switch {
	case at >= atData && e.Hard && !strings.HasPrefix(e.Status, "5.1."): // the address was taken before: some filter's words, or a relay that lost count
		e.Cause, e.Hard = bounce.Other, false
		if strings.HasPrefix(e.Status, "5.7.") {
			e.Cause = bounce.Policy
		}
	case at == atSender && e.Cause != bounce.TooBig:
		e.Cause, e.Hard = bounce.Policy, false
	case at == atText && e.Cause == bounce.Other:
		e.Cause = bounce.Content
	case e.Cause == bounce.Other && e.Status == "" && (a.Code == 530 || a.Code == 535 || a.Code == 538 || a.Code == 571):
		e.Cause = bounce.Policy
	case e.Cause == bounce.Other && e.Status == "" && a.Code == 554:
		e.Cause = bounce.Policy
	}
	return e
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
