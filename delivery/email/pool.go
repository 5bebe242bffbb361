package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"aldine/delivery/bounce"
)

// Class says what an error means for the mail.
type Class int

// The classes.
const (
	Refused   Class = iota + 1 // the relay said no: trying again is pointless
	Transient                  // the relay did not take it: try again later
	Unknown                    // the relay may have taken it
)

// Error is why a mail was not accepted.
type Error struct {
	Class  Class
	Code   int    // of the relay's answer; 0 where there was none
	Reason string // to show
	Err    error

	Status   string       // the enhanced code in the answer, such as 5.1.1; "" where there is none
	Hard     bool         // no mail will ever reach the address
	Cause    bounce.Cause // of a refusal
	Greeting bool         // the relay was not reached, or takes no mail at all at present
	Held     bool         // not tried: whoever sends was told to stop
	Alone    bool         // a refusal that says nothing of any other mail: the relay was not even asked
}

// Error gives the reason.
func (e *Error) Error() string { return e.Reason }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

const (
	dialTimeout   = 15 * time.Second
	answerTimeout = 60 * time.Second // for one mail with all its answers
	idleTimeout   = 30 * time.Second // relays hang up after some minutes; better to do so first
	shareAfter    = time.Second      // a stream that has lasted so long leaves its connection to others who wait for one
)

// Pool keeps connections to one relay. It is safe for concurrent use.
type Pool struct {
	addr, host string
	user, pass string
	mode       string // tls: off, starttls, implicit
	name       string // said in EHLO
	gate       *gate

	mu   sync.Mutex
	idle []*conn
}

// Open reads smtp://user:password@host:port?tls=off|opportunistic|starttls|implicit&name=our.host and allows at most that many connections
// at a time, fewer while the relay has trouble with them; none is made yet. Without tls the connection uses STARTTLS where the relay offers it; smtps:// means
// implicit. The error says what is wrong with the address.
func Open(address string, connections int) (*Pool, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("the SMTP address must look like smtp://user:password@host:port")
	}
	p := &Pool{host: u.Hostname(), mode: u.Query().Get("tls"), name: u.Query().Get("name"), gate: newGate(connections)}
	if u.Scheme == "smtps" && p.mode == "" {
		p.mode = "implicit"
	}
	port := u.Port()
	switch p.mode {
	case "", "opportunistic", "starttls":
		if port == "" {
			port = "587"
		}
	case "implicit":
		if port == "" {
			port = "465"
		}
	case "off":
		if port == "" {
			port = "25"
		}
	default:
		return nil, fmt.Errorf("tls=%s is not known in the SMTP address: use off, opportunistic, starttls or implicit", p.mode)
	}
	if p.name == "" {
		p.name = "localhost"
	}
	p.addr = net.JoinHostPort(p.host, port)
	if u.User != nil {
		p.user = u.User.Username()
		p.pass, _ = u.User.Password()
	}
	return p, nil
}

// Close hangs up the idle connections.
func (p *Pool) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		c.quit()
	}
}

// Mail is one mail on its way. The body is a whole message with CRLF line ends.
type Mail struct {
	From, To string
	Body     []byte
	Owner    any // whatever the stream's owner knows it by
}

// Send hands one mail to the relay, before all those that wait in streams; ctx only bounds the wait for a connection. Any
// error is an *Error.
func (p *Pool) Send(ctx context.Context, from, to string, body []byte) error {
	var out error
	m := &Mail{From: from, To: to, Body: body}
	p.Stream(ctx, Stream{
		Hurry: true,
		Next:  func() (next *Mail) { next, m = m, nil; return next },
		Done:  func(_ *Mail, err error) bool { out = err; return false },
	})
	return out
}

// Stream is a row of mails for one connection.
type Stream struct {
	// Next gives the mail after the one given last, nil after the last one. It is asked for while the relay still has to
	// answer the mail before; the mail belongs to the stream until it is done.
	Next func() *Mail
	// Begin is called before the relay can have seen a whole mail. Where it is not called for a mail, the relay does not
	// have it. An error keeps it from being sent. It may be nil.
	Begin func(*Mail) error
	// Done is called once for each mail that Next gave: with nil where the relay took it, else with an *Error. It tells
	// whether to go on after an error.
	Done func(*Mail, error) bool

	Hurry bool // need not wait for the connections of others
}

// Stream hands mails to the relay over one connection, the next while it still answers the one before, and one after the other, so that
// at most one is in doubt at a time. It returns when Next gives nil or Done says so, and after a second also when others wait for a
// connection; ctx bounds only the wait for one.
func (p *Pool) Stream(ctx context.Context, s Stream) {
	if err := p.gate.enter(ctx, s.Hurry); err != nil {
		s.refuse(held(err))
		return
	}
	defer p.gate.leave()
	done := s.Done
	s.Done = func(m *Mail, err error) bool {
		p.judge(err)
		return done(m, err)
	}
	next, share := s.Next, time.Now().Add(shareAfter)
	s.Next = func() *Mail {
		if time.Now().After(share) && p.gate.wanted() {
			return nil
		}
		return next()
	}
	c := p.kept()
	for m := s.Next(); m != nil; {
		fresh := c == nil
		if fresh {
			var err error
			c, err = p.dial(ctx)
			p.gate.dialed(err == nil)
			if err != nil {
				if !done(m, err) {
					return
				}
				m = s.Next()
				continue
			}
		}
		c.stale = !fresh
		again, more := c.stream(m, s)
		if c.broken {
			c.hangUp()
			c = nil
		}
		if !more {
			break
		}
		if m = again; m == nil {
			m = s.Next()
		}
	}
	if c != nil {
		p.keep(c)
	}
}

// judge lets an answer count for the number of connections.
func (p *Pool) judge(err error) {
	var e *Error
	switch {
	case err == nil:
		p.gate.taken()
	case errors.As(err, &e) && !e.Held && (e.Code == 0 && e.Class != Refused || e.Code == 421):
		p.gate.trouble()
	}
}

func held(cause error) *Error {
	return &Error{Class: Transient, Held: true, Reason: "stopped before the mail was sent", Err: cause}
}

// refuse gives the first mail back where none can be sent.
func (s Stream) refuse(err *Error) {
	for m := s.Next(); m != nil; m = s.Next() {
		if !s.Done(m, err) {
			return
		}
	}
}

func (p *Pool) kept() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		c := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if time.Since(c.used) < idleTimeout {
			return c
		}
		c.hangUp()
	}
	return nil
}

func (p *Pool) keep(c *conn) {
	c.used = time.Now()
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.mu.Unlock()
}

func (p *Pool) dial(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return nil, &Error{Class: Transient, Greeting: true, Reason: "the mail server cannot be reached", Err: err}
	}
	_ = raw.SetDeadline(time.Now().Add(dialTimeout))
	c, err := p.greet(raw)
	if err != nil {
		_ = raw.Close()
		return nil, greeting(err)
	}
	return c, nil
}

func (p *Pool) greet(raw net.Conn) (*conn, error) {
	watch := &watched{Conn: raw}
	var nc net.Conn = watch
	config := &tls.Config{ServerName: p.host, MinVersion: tls.VersionTLS12}
	if p.mode == "implicit" {
		nc = tls.Client(watch, config)
	}
	client, err := smtp.NewClient(nc, p.host)
	if err != nil {
		return nil, err
	}
	if err := client.Hello(p.name); err != nil {
		return nil, err
	}
	if offered, _ := client.Extension("STARTTLS"); p.mode != "off" && p.mode != "implicit" && (offered || p.mode == "starttls") {
		if err := client.StartTLS(config); err != nil {
			return nil, err
		}
	}
	if p.user != "" {
		if err := client.Auth(p.auth(client)); err != nil {
			return nil, err
		}
	}
	return &conn{client: client, watch: watch}, nil
}

// auth prefers the method that does not show the password.
func (p *Pool) auth(client *smtp.Client) smtp.Auth {
	_, methods := client.Extension("AUTH")
	has := func(m string) bool { return strings.Contains(" "+strings.ToUpper(methods)+" ", " "+m+" ") }
	insecure := p.mode == "off" // asked for in the address
	switch {
	case has("SCRAM-SHA-256"):
		return smtp.ScramSHA256Auth(p.user, p.pass)
	case has("PLAIN") || !has("LOGIN"):
		return smtp.PlainAuth("", p.user, p.pass, p.host, insecure)
	}
	return smtp.LoginAuth(p.user, p.pass, p.host, insecure)
}

// greeting makes every failure before the first mail a transient one: a wrong password or a relay that does not like
// us is no fault of the mail, which waits until somebody mends that.
func greeting(err error) *Error {
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return &Error{Class: Transient, Greeting: true, Code: answer.Code, Reason: clip(fmt.Sprintf("the mail server answered the greeting with %d %s", answer.Code, answer.Msg)), Err: err}
	}
	return &Error{Class: Transient, Greeting: true, Reason: "the mail server does not answer the greeting", Err: err}
}
