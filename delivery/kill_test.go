package delivery_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"aldine/campaigns/content"
	"aldine/campaigns/journey"
	"aldine/customers"
	"aldine/delivery"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/tracking"
)

// TestKill kills a working process for good, in the middle of its mails, and lets another one take over.
func TestKill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	w.add(s, mails(400)...)
	w.plan(s, 0, everybody)
	c := &counting{got: map[string]int{}, at: make(chan struct{})}
	relay := w.relayOf(c)

	child := w.child(relay)
	select {
	case <-c.at:
	case <-time.After(60 * time.Second):
		t.Error("the child sends nothing")
	}
	w.must(child.Process.Kill())
	_ = child.Wait()
	w.exec(`UPDATE nodes SET beat_at = beat_at - interval '1 minute'`, nil) // a minute later
	nodes := queue.NewNodes(w.pool, "test", logger)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	w.must(nodes.Start(ctx))
	config := w.config
	config.SMTPURL = relay
	w.work(w.open(config))

	c.mu.Lock()
	defer c.mu.Unlock()
	for to, n := range c.got {
		if n > 1 {
			t.Errorf("%s got %d mails", to, n)
		}
	}
	counts := map[string]int{}
	for f := range strings.FieldsSeq(w.counts(s)) {
		name, n, _ := strings.Cut(f, ":")
		counts[name], _ = strconv.Atoi(n)
	}
	if counts["sent"]+counts["unconfirmed"] != 400 || counts["unconfirmed"] > 20 || len(c.got) < counts["sent"] {
		t.Errorf("touches %v, %d people got a mail", counts, len(c.got))
	}
	t.Logf("touches %v", counts)
}

// child starts a process that sends over a relay until it is killed.
func (w *world) child(relay string) *exec.Cmd {
	w.t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
	child.Env = append(os.Environ(), "ALDINE_TEST_CHILD=1", "ALDINE_TEST_DB="+pgtest.URL(w.pool), "ALDINE_TEST_RELAY="+relay, "ALDINE_TEST_DATA_DIR="+w.config.DataDir)
	w.must(child.Start())
	w.t.Cleanup(func() { _ = child.Process.Kill() })
	return child
}

// counting counts the mails of each recipient, slowly.
type counting struct {
	mu  sync.Mutex
	got map[string]int
	at  chan struct{} // closed at the hundredth
}

type countingSession struct {
	c  *counting
	to string
}

func (c *counting) NewSession(*smtp.Conn) (smtp.Session, error)      { return &countingSession{c: c}, nil }
func (s *countingSession) Mail(string, *smtp.MailOptions) error      { return nil }
func (s *countingSession) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }
func (s *countingSession) Reset()                                    {}
func (s *countingSession) Logout() error                             { return nil }
func (s *countingSession) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil { // cut off: no mail
		return err
	}
	s.c.mu.Lock()
	s.c.got[s.to]++
	if len(s.c.got) == 100 && s.c.got[s.to] == 1 {
		close(s.c.at)
	}
	s.c.mu.Unlock()
	time.Sleep(3 * time.Millisecond)
	return nil
}

// TestChild is not a test of its own: it is the process that TestKill kills.
func TestChild(t *testing.T) {
	if os.Getenv("ALDINE_TEST_CHILD") == "" {
		return
	}
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("ALDINE_TEST_DB"))
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return start }
	jobs, err := queue.NewInserter(pool)
	if err != nil {
		t.Fatal(err)
	}
	kept := settings.New(pool, now)
	people := customers.New(customers.Deps{Pool: pool, Jobs: jobs, Settings: kept, Now: now, Log: logger})
	d, err := delivery.New(delivery.Deps{Pool: pool, Jobs: jobs, Settings: kept, Templates: content.NewStore(pool, people.FieldNames, now), Customers: people, Now: now, Log: logger},
		delivery.Config{DataDir: os.Getenv("ALDINE_TEST_DATA_DIR"), SMTPURL: os.Getenv("ALDINE_TEST_RELAY"), SMSURL: "http://127.0.0.1:1", PublicURL: "https://aldine.example",
			Signer: tracking.NewSigner([]byte("0123456789abcdef"))})
	if err != nil {
		t.Fatal(err)
	}
	workers := river.NewWorkers()
	d.Register(workers)
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[journey.FinishArgs]) error { return nil }))
	client, err := queue.NewWorking(pool, workers, "child", logger)
	if err != nil {
		t.Fatal(err)
	}
	if err := queue.NewNodes(pool, "child", logger).Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := client.Start(ctx); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Minute) // until killed
	os.Exit(1)
}
