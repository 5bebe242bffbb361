package inbound

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/netutil"
	"golang.org/x/time/rate"

	"aldine/internal/fault"
)

// Limits bound what strangers may ask of the listener; 0 stands for the default.
type Limits struct {
	Connections int     // at a time: 64
	PerSecond   float64 // mails of one address, with ten times as many at once: 100
	Strangers   int     // recipients that do not exist, before a connection gets no more answers: 10
}

// Server is a running listener.
type Server struct {
	s      *Service
	smtp   *smtp.Server
	addr   string
	limits Limits
	log    *slog.Logger
	done   chan struct{}
	ctx    context.Context // of the storing; ends when the server is closed
	cancel context.CancelFunc

	mu    sync.Mutex
	open  int
	rates map[string]*rate.Limiter
}

// Listen opens a listener at an address, host:port, and serves it until Close. With a certificate, which may be nil, clients may
// go over to TLS by STARTTLS.
func (s *Service) Listen(addr string, c *Certificate, l Limits) (*Server, error) {
	port, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	if l.Connections == 0 {
		l.Connections = 64
	}
	if l.PerSecond == 0 {
		l.PerSecond = 100
	}
	if l.Strangers == 0 {
		l.Strangers = 10
	}
	v := &Server{s: s, addr: port.Addr().String(), limits: l, log: s.log, done: make(chan struct{}), rates: map[string]*rate.Limiter{}}
	v.ctx, v.cancel = context.WithCancel(context.Background())
	v.smtp = smtp.NewServer(smtp.BackendFunc(v.session))
	v.smtp.Domain = s.signed.Domain
	v.smtp.MaxMessageBytes = MaxMessage
	v.smtp.MaxRecipients = 20
	v.smtp.EnableSMTPUTF8 = true
	if c != nil {
		v.smtp.TLSConfig = c.config(s.log)
	}
	v.smtp.ReadTimeout, v.smtp.WriteTimeout = 2*time.Minute, time.Minute
	v.smtp.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)
	go func() {
		defer close(v.done)
		// Behind the number that is served, some more may hear that they are too many; others wait.
		if err := v.smtp.Serve(netutil.LimitListener(port, 4*l.Connections)); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			s.log.Error("the listener for inbound mail stopped", "error", err)
		}
	}()
	return v, nil
}

// Addr is where it listens.
func (v *Server) Addr() string { return v.addr }

// Close stops listening; a mail that is just being stored may still be answered within the context.
func (v *Server) Close(ctx context.Context) error {
	err := v.smtp.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) { // clients keep connections open on which nothing is asked
		err = v.smtp.Close()
	}
	v.cancel()
	<-v.done
	return err
}

func reject(code int, enhanced smtp.EnhancedCode, message string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: message}
}

func (v *Server) session(c *smtp.Conn) (smtp.Session, error) {
	host, _, err := net.SplitHostPort(c.Conn().RemoteAddr().String())
	if err != nil {
		host = "?"
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open >= v.limits.Connections {
		return nil, reject(421, smtp.EnhancedCode{4, 3, 2}, "Too many connections, please try again later")
	}
	v.open++
	limiter := v.rates[host]
	if limiter == nil {
		if len(v.rates) > 10_000 { // whoever has been quiet is forgotten
			clear(v.rates)
		}
		limiter = rate.NewLimiter(rate.Limit(v.limits.PerSecond), int(10*v.limits.PerSecond)+1)
		v.rates[host] = limiter
	}
	return &session{v: v, limiter: limiter}, nil
}

type session struct {
	v         *Server
	limiter   *rate.Limiter
	to        []string
	strangers int
}

// Mail takes any sender: reports have none.
func (c *session) Mail(string, *smtp.MailOptions) error {
	if !c.limiter.Allow() {
		return reject(450, smtp.EnhancedCode{4, 7, 1}, "Too many mails at once, please try again later")
	}
	return nil
}

// Rcpt takes only addresses of ours.
func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	ours, err := c.v.s.ours(c.v.ctx, to)
	if err != nil {
		c.v.log.Error("inbound mail: the settings cannot be read", "error", err)
		return reject(451, smtp.EnhancedCode{4, 3, 0}, "Please try again later")
	}
	if c.strangers >= c.v.limits.Strangers { // whoever tries addresses one after the other learns no more
		return reject(421, smtp.EnhancedCode{4, 7, 0}, "Too many addresses that do not exist")
	}
	if !ours {
		c.strangers++
		return reject(550, smtp.EnhancedCode{5, 1, 1}, "No such address here")
	}
	c.to = append(c.to, to)
	return nil
}

// Data stores the mail for each recipient before it is answered.
func (c *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, to := range c.to {
		_, err := c.v.s.receive(c.v.ctx, mail{to: to, raw: raw, source: listener})
		if fault.Is(err, fault.Invalid) {
			return reject(554, smtp.EnhancedCode{5, 6, 0}, "There is no mail in it")
		}
		if err != nil {
			c.v.log.Error("a mail could not be stored", "error", err)
			return reject(451, smtp.EnhancedCode{4, 3, 0}, "The mail could not be stored, please try again later")
		}
	}
	return nil
}

// Reset forgets the present mail.
func (c *session) Reset() { c.to = nil }

// Logout ends the session.
func (c *session) Logout() error {
	c.v.mu.Lock()
	defer c.v.mu.Unlock()
	c.v.open--
	return nil
}

// names at the bounce domain that everybody may write to.
var names = map[string]bool{"bounces": true, "complaints": true, "postmaster": true, "abuse": true}

// ours tells whether an address is one of ours: a signed one, one of the names, or the sender of the mails.
func (s *Service) ours(ctx context.Context, to string) (bool, error) {
	if _, _, ok := s.signed.Read(to); ok {
		return true, nil
	}
	local, domain, _ := strings.Cut(strings.ToLower(to), "@")
	if domain == s.signed.Domain && names[local] {
		return true, nil
	}
	v, err := s.settings.Get(ctx)
	return err == nil && strings.EqualFold(to, v.FromEmail), err
}
