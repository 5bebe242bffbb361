package email_test

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"aldine/delivery/email"
)

func TestCompose(t *testing.T) {
	t.Parallel()
	body, err := email.Compose(email.Message{
		ID: "1.2.3@shop.example", FromName: "Rösen & Söhne", From: "news@shop.example", To: "ada@customer.example",
		Subject: "Hello\r\nBcc: everybody@x.example\r\n\r\nÄ", Text: "text ä", HTML: "<p>html ä</p>", UnsubscribeURL: "https://x.example/t/u/abc",
		Date: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Get("Bcc") != "" {
		t.Error("a customer's data made a header of its own")
	}
	var d mime.WordDecoder
	if s, err := d.DecodeHeader(m.Header.Get("Subject")); err != nil || s != "Hello Bcc: everybody@x.example Ä" {
		t.Errorf("subject %q, %v", s, err)
	}
	if kind, _, err := mime.ParseMediaType(m.Header.Get("Content-Type")); err != nil || kind != "multipart/alternative" {
		t.Errorf("type %q, %v", kind, err)
	}
	for name, want := range map[string]string{
		"Message-Id": "<1.2.3@shop.example>", "List-Unsubscribe": "<https://x.example/t/u/abc>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"Date": "Sun, 01 Mar 2026 09:00:00 +0000",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	// A signed address is long; folding must not break it.
	long := "https://" + strings.Repeat("very-long-name.", 12) + "example/t/u/" + strings.Repeat("x", 40)
	if body, err = email.Compose(email.Message{From: "a@b.example", To: "c@d.example", UnsubscribeURL: long, Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if m, err = mail.ReadMessage(bytes.NewReader(body)); err != nil || m.Header.Get("List-Unsubscribe") != "<"+long+">" {
		t.Errorf("%q, %v", m.Header.Get("List-Unsubscribe"), err)
	}
	for _, bad := range []string{"", "nobody", "a@b\r\nX: y", "a b@c"} {
		if _, err := email.Compose(email.Message{From: "a@b.example", To: bad}); err == nil {
			t.Errorf("address %q was taken", bad)
		}
	}
}

func TestWithPixel(t *testing.T) {
	t.Parallel()
	const img = `<img src="https://x/t/o/a?b&amp;c" width="1" height="1" alt="" style="display:none">`
	for in, want := range map[string]string{
		"<body>hi</body>": "<body>hi" + img + "</body>", "hi": "hi" + img, "": "", "<BODY>K</BoDy></html>": "<BODY>K" + img + "</BoDy></html>",
		"</body>İ</body>": "</body>İ" + img + "</body>",
	} {
		if got := email.WithPixel(in, "https://x/t/o/a?b&c"); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "relay.example:25", "http://relay.example", "smtp://", "smtp://relay?tls=maybe", "smtp://a b"} {
		if _, err := email.Open(bad, 1); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// relay counts what it sees.
type relay struct {
	mu       sync.Mutex
	sessions int
	mails    []string
	perConn  int // mails after which a session ends with 421; 0 means never
}

type session struct {
	r     *relay
	count int
	to    string
	user  bool
}

func (r *relay) NewSession(*smtp.Conn) (smtp.Session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions++
	return &session{r: r}, nil
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, pass string) error {
		if user != "shop" || pass != "secret" {
			return errors.New("no")
		}
		s.user = true
		return nil
	}), nil
}

func (s *session) Mail(string, *smtp.MailOptions) error {
	if s.r.perConn > 0 && s.count >= s.r.perConn {
		return &smtp.SMTPError{Code: 421, Message: "enough on this connection"}
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "bad") {
		return &smtp.SMTPError{Code: 550, Message: "no such user"}
	}
	s.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.count++
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.r.mails = append(s.r.mails, s.to+"|"+string(b))
	return err
}
func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

func (r *relay) start(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := smtp.NewServer(r)
	srv.AllowInsecureAuth = true
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return l.Addr().String()
}

func TestPoolKeepsConnections(t *testing.T) {
	t.Parallel()
	r := &relay{}
	p, err := email.Open("smtp://shop:secret@"+r.start(t)+"?tls=off", 3)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var wait sync.WaitGroup
	for i := range 60 {
		wait.Go(func() {
			to := "a@x.example"
			if i%5 == 0 {
				to = "bad@x.example"
			}
			err := p.Send(t.Context(), "me@x.example", to, []byte("Subject: x\r\n\r\n.dot\r\n.\r\nmore\r\n"))
			var e *email.Error
			if i%5 == 0 != errors.As(err, &e) || e != nil && (e.Class != email.Refused || e.Code != 550) {
				t.Errorf("%s: %v", to, err)
			}
		})
	}
	wait.Wait()
	if r.sessions > 3 || len(r.mails) != 48 {
		t.Errorf("%d connections, %d mails", r.sessions, len(r.mails))
	}
	for _, m := range r.mails {
		if m != "a@x.example|Subject: x\r\n\r\n.dot\r\n.\r\nmore\r\n" {
			t.Fatalf("got %q", m)
		}
	}
}

func TestPoolRenewsConnections(t *testing.T) {
	t.Parallel()
	r := &relay{perConn: 2}
	p, err := email.Open("smtp://"+r.start(t)+"?tls=off", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for range 5 {
		if err := p.Send(t.Context(), "me@x.example", "a@x.example", []byte("x: y\r\n\r\nhi\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	if r.sessions != 3 || len(r.mails) != 5 {
		t.Errorf("%d connections, %d mails", r.sessions, len(r.mails))
	}
}

func TestPoolRefusals(t *testing.T) {
	t.Parallel()
	r := &relay{}
	addr := r.start(t)
	for name, tt := range map[string]struct {
		url, to string
		class   email.Class
	}{
		"wrong password":   {"smtp://shop:wrong@" + addr + "?tls=off", "a@x.example", email.Transient},
		"no TLS to be had": {"smtp://" + addr + "?tls=starttls", "a@x.example", email.Transient},
		"injected command": {"smtp://" + addr + "?tls=off", "a@x.example>\r\nRCPT TO:<b@x.example", email.Refused},
		"nobody there":     {"smtp://127.0.0.1:1?tls=off", "a@x.example", email.Transient},
	} {
		p, err := email.Open(tt.url, 1)
		if err != nil {
			t.Fatal(err)
		}
		var e *email.Error
		if err := p.Send(t.Context(), "me@x.example", tt.to, []byte("hi")); !errors.As(err, &e) || e.Class != tt.class || strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s: %v", name, err)
		}
		p.Close()
	}
	if len(r.mails) != 0 {
		t.Errorf("mails %q", r.mails)
	}
}
