package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/campaigns"
	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/internal/pgtest"
)

// mailbox is a real mail server that counts what it accepted for whom.
type mailbox struct {
	mu       sync.Mutex
	received map[string]int
	total    int
	slow     time.Duration
}

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &letterbox{m: m}, nil }

type letterbox struct {
	m  *mailbox
	to string
}

func (l *letterbox) Mail(string, *smtp.MailOptions) error      { return nil }
func (l *letterbox) Rcpt(to string, _ *smtp.RcptOptions) error { l.to = to; return nil }
func (l *letterbox) Reset()                                    {}
func (l *letterbox) Logout() error                             { return nil }
func (l *letterbox) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	time.Sleep(l.m.slow)
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	l.m.received[l.to]++
	l.m.total++
	return nil
}

func (m *mailbox) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
}

// startMailbox listens on a free loopback port until the test ends.
func startMailbox(t *testing.T) (*mailbox, string) {
	t.Helper()
	m := &mailbox{received: map[string]int{}, slow: 2 * time.Millisecond}
	server := smtp.NewServer(m)
	server.Domain = "localhost"
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l) //nolint:errcheck // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	return m, "smtp://" + l.Addr().String() + "?tls=off"
}

// startServer starts the program as a process of its own and waits until it is ready.
func startServer(t *testing.T, args ...string) (process *exec.Cmd, base string) {
	t.Helper()
	process, base, _ = startServerPrinting(t, args...)
	return process, base
}

// startServerPrinting gives the lines that the program printed on its start, too.
func startServerPrinting(t *testing.T, args ...string) (process *exec.Cmd, base, printed string) {
	t.Helper()
	process = exec.Command(os.Args[0], append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	process.Env = append(os.Environ(), "ALDINE_TEST_AS_PROGRAM=1")
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	process.Stderr = &errs
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		printed += lines.Text() + "\n"
		if _, address, ok := strings.Cut(lines.Text(), " is at "); ok {
			base = address
		}
		if strings.HasPrefix(lines.Text(), "Ready") {
			go io.Copy(io.Discard, out) //nolint:errcheck // ends with the process
			return process, base, printed
		}
	}
	_ = process.Wait()
	t.Fatalf("the server did not get ready:\n%s", errs.String())
	return nil, "", ""
}

// A server killed twice in the middle of a campaign sends nothing twice, loses nothing and tells what it is not sure of.
func TestKilledServerSendsNothingTwice(t *testing.T) {
	t.Parallel()
	const recipients = 3000
	ctx := context.Background()
	box, smtpURL := startMailbox(t)
	cfg := &config{Data: t.TempDir(), DatabaseURL: pgtest.NewURL(t), Connections: 8, LogLevel: "error", LogFormat: "text"}
	a, err := openApp(ctx, cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	id := launchMailing(ctx, t, a, recipients)

	args := []string{"--data", cfg.Data, "--database-url", cfg.DatabaseURL, "--smtp-url", smtpURL, "--log-level", "error"}
	for _, share := range []int{recipients / 4, recipients / 2} {
		process, _ := startServer(t, args...)
		await(t, "mails before the kill", 60*time.Second, func() bool { return box.count() >= share })
		if err := process.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = process.Wait()
	}
	startServer(t, args...)
	await(t, "the end of the campaign", 120*time.Second, func() bool {
		d, err := a.campaigns.Get(ctx, id)
		return err == nil && d.State == campaigns.Finished
	})

	rows, err := a.pool.Query(ctx, `SELECT destination, state FROM touches WHERE campaign_id = @id ORDER BY customer_id`, pgx.NamedArgs{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	unconfirmed, seen := 0, 0
	var to, state string
	if _, err := pgx.ForEachRow(rows, []any{&to, &state}, func() error {
		seen++
		got := box.received[to]
		switch {
		case got > 1:
			t.Errorf("%s got the mail %d times", to, got)
		case state == "unconfirmed":
			unconfirmed++
		case state == "sent" && got != 1:
			t.Errorf("%s is called sent and got nothing", to)
		case state != "sent":
			t.Errorf("%s is %s", to, state)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if seen != recipients {
		t.Errorf("%d touches for %d recipients", seen, recipients)
	}
	if limit := 2 * 2 * 20; unconfirmed > limit { // kills x connections, twice over
		t.Errorf("%d unconfirmed, at most %d can have been in flight", unconfirmed, limit)
	}
	t.Logf("%d recipients, 2 kills: %d mails accepted, %d unconfirmed", recipients, box.count(), unconfirmed)
}

func await(t *testing.T, what string, limit time.Duration, done func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("waited %s for %s", limit, what)
}

// launchMailing imports customers and launches a campaign of one e-mail to all of them.
func launchMailing(ctx context.Context, t *testing.T, a *app, n int) int64 {
	t.Helper()
	var file bytes.Buffer
	fmt.Fprintln(&file, "external_id,first_name,last_name,email")
	for i := range n {
		fmt.Fprintf(&file, "K%d,Ann,Reader,reader%d@example.org\n", i, i)
	}
	im, err := a.customers.StartImport(ctx, customers.StartImport{Kind: "customers", FileName: "k.csv", Body: &file, Hold: true})
	if err != nil {
		t.Fatal(err)
	}
	if im, err = a.customers.RunImport(ctx, im.ID); err != nil || im.Created != int64(n) {
		t.Fatalf("import: %+v %v", im, err)
	}
	if _, err := a.campaigns.Templates().Save(ctx, content.Template{Name: "News", Channel: content.Email,
		Subject: "For {{ customer.first_name }}", HTML: `<p>Hello, <a href="https://shop.example/news">news</a></p>`}); err != nil {
		t.Fatal(err)
	}
	budget := decimal.MustParse("1000")
	c, err := a.campaigns.Create(ctx, campaigns.Input{Name: "News", Currency: "EUR", Budget: &budget, Journey: json.RawMessage(
		`{"start":"m","steps":[{"key":"m","type":"email","template":"News","unit_cost":"0.01"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.campaigns.Approve(ctx, c.ID, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := a.campaigns.Launch(ctx, c.ID); err != nil {
		t.Fatal(err)
	}
	return c.ID
}
