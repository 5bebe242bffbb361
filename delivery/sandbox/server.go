package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/id"
)

// maxMessage bounds what one message may take.
const maxMessage = 20 << 20

// Server is a running sandbox.
type Server struct {
	token          string
	smtpAddr       string
	httpAddr       string
	smtp           *smtp.Server
	http           *http.Server
	collector      *collector
	now            func() time.Time
	log            *slog.Logger
	stopCollecting context.CancelFunc
}

// Start listens on two free loopback ports. Close stops it.
func Start(pool *pgxpool.Pool, now func() time.Time, log *slog.Logger) (*Server, error) {
	mailPort, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	webPort, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, mailPort.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		token: rand.Text(), smtpAddr: mailPort.Addr().String(), httpAddr: webPort.Addr().String(),
		collector: newCollector(pool), now: now, log: log, stopCollecting: cancel,
	}
	go s.collector.run(ctx)
	s.smtp = smtp.NewServer(backend{s})
	s.smtp.Domain = "sandbox.localhost"
	s.smtp.MaxMessageBytes = maxMessage
	s.smtp.MaxRecipients = 100
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = 5*time.Minute, time.Minute
	s.smtp.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /messages", s.takeSMS)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() {
		if err := s.smtp.Serve(mailPort); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			log.Error("the sandbox's mail server stopped", "error", err)
		}
	}()
	go func() {
		if err := s.http.Serve(webPort); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("the sandbox's SMS gateway stopped", "error", err)
		}
	}()
	return s, nil
}

// SMTPURL is the address for the e-mail sender.
func (s *Server) SMTPURL() string { return "smtp://" + s.smtpAddr + "?tls=off" }

// SMSURL is the address for the SMS sender.
func (s *Server) SMSURL() string { return "http://" + s.httpAddr + "/messages" }

// Token is the bearer token that the SMS gateway asks for.
func (s *Server) Token() string { return s.token }

// Close stops both servers; messages under way are answered first.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	// Senders keep connections open, which a graceful stop of the mail server would wait for; and a connection on which
	// nothing was ever asked, as clients open them in advance, keeps even the other one waiting.
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	err = errors.Join(s.smtp.Close(), err)
	s.stopCollecting()
	<-s.collector.done
	return err
}

type backend struct{ s *Server }

// NewSession opens a mail session.
func (b backend) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{s: b.s}, nil }

type session struct {
	s    *Server
	from string
	to   []string
}

// Mail notes the sender.
func (c *session) Mail(from string, _ *smtp.MailOptions) error { c.from = from; return nil }

// Rcpt notes a recipient.
func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error { c.to = append(c.to, to); return nil }

// Reset forgets the present mail.
func (c *session) Reset() { c.from, c.to = "", nil }

// Logout ends the session.
func (c *session) Logout() error { return nil }

// Data stores the mail once per recipient.
func (c *session) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	subject := subjectOf(body)
	items := make([]item, len(c.to))
	for i, to := range c.to {
		items[i] = item{channel: "email", sender: c.from, recipient: to, subject: subject, body: body, at: c.s.now()}
	}
	if err := c.s.collector.store(items); err != nil {
		c.s.log.Error("the sandbox cannot store a mail", "error", err)
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "The sandbox cannot store the mail now"}
	}
	return nil
}

func (s *Server) takeSMS(w http.ResponseWriter, r *http.Request) {
	given := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if subtle.ConstantTimeCompare([]byte(given), []byte(s.token)) != 1 {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "wrong token"})
		return
	}
	var m struct{ ID, To, From, Text string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&m); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": "not a JSON message"})
		return
	}
	if m.ID == "" || m.Text == "" || !strings.HasPrefix(m.To, "+") {
		answer(w, http.StatusUnprocessableEntity, map[string]string{"error": "id, text and a number with + are needed"})
		return
	}
	err := s.collector.store([]item{{channel: "sms", sender: m.From, recipient: m.To, body: []byte(strings.ReplaceAll(m.Text, "\x00", "")), ref: m.ID, at: s.now()}})
	if err != nil {
		s.log.Error("the sandbox cannot store a short message", "error", err)
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": "the sandbox cannot store the message now"})
		return
	}
	answer(w, http.StatusAccepted, map[string]string{"message_id": "sandbox-" + id.New().String()})
}

func answer(w http.ResponseWriter, status int, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
