package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"

	"aldine/campaigns"
	"aldine/internal/pg"
)

// A small turn of what `make soak` does at length.
func TestSendingSurvivesEverything(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	soak(t, 3000)
}

// soakConnections is how many connections each process may open.
const soakConnections = 10

// soak sends n mails with two worker processes on one data folder, while the processes, the database and the mail server are
// killed, restarted, cut off and stalled at random moments.
func soak(t *testing.T, n int) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("ALDINE_SOAK_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("seed %d, %d recipients (ALDINE_SOAK_SEED repeats the moments)", seed, n)
	draw := rand.New(rand.NewPCG(seed, 1))
	ctx := context.Background()

	dir := t.TempDir()
	cluster, err := pg.StartCluster(ctx, dir, pg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop(context.Background()) })
	relay := startRelay(t)
	cfg := &config{Data: t.TempDir(), DatabaseURL: cluster.URL(pg.Database), Connections: soakConnections, LogLevel: "error", LogFormat: "text"}
	a, err := openApp(ctx, cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()

	w := &soakWorkers{t: t, args: []string{"work", "--data", cfg.Data, "--database-url", cfg.DatabaseURL, "--smtp-url", relay.url, "--email-connections", strconv.Itoa(soakConnections),
		"--public-url", "https://aldine.example", "--log-level", "error"}}
	t.Cleanup(w.killAll)
	w.start(0)
	w.start(1)
	id := launchMailing(ctx, t, a, n)
	stopWatch := watchFinished(ctx, t, a, id)

	kill := func() {
		w.kill(draw.IntN(2))
		forgetNodes(ctx, a)
	}
	events := []struct {
		name string
		do   func()
	}{
		{"kill -9", kill}, {"kill -9", kill}, {"kill -9", kill},
		{"backends terminated, one killed", func() { killBackends(ctx, t, a, dir) }},
		{"PostgreSQL restarted in immediate mode", func() { restartPostgres(ctx, t, dir) }},
		{"mail server cuts", relay.cut},
		{"mail server stalls", func() { relay.stall(time.Duration(500+draw.IntN(2000)) * time.Millisecond) }},
		{"SIGTERM to both", func() {
			for i := range 2 {
				w.stop(i)
				w.start(i)
			}
		}},
	}
	draw.Shuffle(len(events)-1, func(i, j int) { events[i], events[j] = events[j], events[i] })
	moments := make([]int, len(events))
	for i := range moments {
		moments[i] = n/50 + draw.IntN(n*8/10)
	}
	slices.Sort(moments)
	for i, e := range events {
		await(t, e.name, 5*time.Minute, func() bool { return relay.count() >= moments[i] })
		t.Logf("at %d mails: %s", relay.count(), e.name)
		e.do()
	}
	await(t, "the end of the campaign", 5*time.Minute, func() bool {
		d, err := a.campaigns.Get(ctx, id)
		return err == nil && d.State == campaigns.Finished
	})
	stopWatch()
	w.stop(0)
	w.stop(1)
	compare(ctx, t, a, id, n, relay)
	if left, _ := filepath.Glob(filepath.Join(cfg.Data, "handover", "*")); len(left) > 0 {
		t.Errorf("journals are left: %v", left)
	}
}

// compare holds the database's account against the mail server's.
func compare(ctx context.Context, t *testing.T, a *app, id int64, n int, relay *relay) {
	t.Helper()
	relay.mu.Lock()
	defer relay.mu.Unlock()
	rows, err := a.pool.Query(ctx, `SELECT destination, state FROM touches WHERE campaign_id = @id ORDER BY customer_id`, pgx.NamedArgs{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	doubled, lost, arrived := 0, 0, 0
	var to, state string
	if _, err := pgx.ForEachRow(rows, []any{&to, &state}, func() error {
		counts[state]++
		got := relay.got[to]
		switch {
		case got > 1:
			doubled++
			t.Errorf("%s (%s) got the mail %d times", to, state, got)
		case got == 0 && state != "unconfirmed" && state != "failed":
			lost++
			t.Errorf("%s is %s and got nothing", to, state)
		case got == 1 && state == "unconfirmed":
			arrived++
		case got == 1 && state != "sent":
			t.Errorf("%s is %s and got a mail", to, state)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if counts["sent"]+counts["unconfirmed"] != n || len(relay.got) != counts["sent"]+arrived {
		t.Errorf("touches %v, %d recipients, %d got a mail", counts, n, len(relay.got))
	}
	// Three kills of one process and one cut of both.
	if limit := 3*2*soakConnections + 2*soakConnections; counts["unconfirmed"] > limit {
		t.Errorf("%d unconfirmed, more than %d", counts["unconfirmed"], limit)
	}
	var booked, reserved float64
	if err := a.pool.QueryRow(ctx, `SELECT (SELECT coalesce(sum(quantity), 0)::float8 FROM cost_entries WHERE campaign_id = @id AND kind = 'piece'),
		(SELECT coalesce(sum(amount), 0)::float8 FROM reservations WHERE campaign_id = @id)`, pgx.NamedArgs{"id": id}).Scan(&booked, &reserved); err != nil {
		t.Fatal(err)
	}
	if int(booked) != counts["sent"] || fmt.Sprintf("%.4f", reserved) != fmt.Sprintf("%.4f", float64(counts["unconfirmed"])/100) {
		t.Errorf("%v booked, %v reserved, touches %v", booked, reserved, counts)
	}
	t.Logf("touches %v, %d doubled, %d lost, %d of the unconfirmed arrived", counts, doubled, lost, arrived)
}

// watchFinished fails the test if the campaign is ever called finished while something is open.
func watchFinished(ctx context.Context, t *testing.T, a *app, id int64) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for ctx.Err() == nil {
			var wrong bool
			err := a.pool.QueryRow(ctx, `SELECT state = 'finished' AND EXISTS (SELECT 1 FROM touches WHERE campaign_id = @id AND state IN ('planned', 'sending'))
				FROM campaigns WHERE campaign_id = @id`, pgx.NamedArgs{"id": id}).Scan(&wrong)
			if err == nil && wrong {
				t.Error("the campaign is called finished while touches are open")
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
	}()
	return func() { cancel(); <-over }
}

// forgetNodes lets all processes look dead: the killed one need not be waited for, and the living are taken over while at work.
func forgetNodes(ctx context.Context, a *app) {
	_, _ = a.pool.Exec(ctx, `UPDATE nodes SET beat_at = beat_at - interval '1 minute'`)
}

// soakWorkers are the two processes, and what starts them again when they end, as a service manager does.
type soakWorkers struct {
	t    *testing.T
	args []string

	mu   sync.Mutex
	of   [2]*soakWorker
	over bool
}

type soakWorker struct {
	process *exec.Cmd
	output  strings.Builder
	stopped bool
	ended   chan error
}

func (w *soakWorkers) start(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	p := &soakWorker{process: exec.Command(os.Args[0], w.args...), ended: make(chan error, 1)}
	p.process.Env = append(os.Environ(), "ALDINE_TEST_AS_PROGRAM=1")
	p.process.Stdout, p.process.Stderr = &p.output, &p.output
	if err := p.process.Start(); err != nil {
		w.t.Error(err)
		return
	}
	w.of[i] = p
	go func() {
		err := p.process.Wait()
		p.ended <- err
		w.mu.Lock()
		again := !p.stopped
		w.mu.Unlock()
		if again {
			time.Sleep(200 * time.Millisecond)
			w.start(i)
		}
	}()
}

func (w *soakWorkers) get(i int) *soakWorker {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.of[i]
}

// kill kills one process for good; it is started again.
func (w *soakWorkers) kill(i int) { _ = w.get(i).process.Process.Kill() }

// stop asks one process to end and waits until it has.
func (w *soakWorkers) stop(i int) {
	w.mu.Lock()
	p := w.of[i]
	p.stopped = true
	w.mu.Unlock()
	_ = p.process.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.ended:
		// One that was just starting has said nothing yet, or that the database was just starting, too.
		if said := p.output.String(); err != nil && said != "" && !strings.Contains(said, "database") {
			w.t.Errorf("worker %d ended with %v:\n%s", i, err, p.output.String())
		}
	case <-time.After(60 * time.Second):
		w.t.Errorf("worker %d does not stop", i)
		_ = p.process.Process.Kill()
	}
}

func (w *soakWorkers) killAll() {
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	for _, p := range w.of {
		if p != nil {
			_ = p.process.Process.Kill()
		}
	}
}

// killBackends ends every session in the orderly way, and after that one by force, upon which PostgreSQL ends the others and recovers.
func killBackends(ctx context.Context, t *testing.T, a *app, _ string) {
	t.Helper()
	_, _ = a.pool.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	time.Sleep(200 * time.Millisecond)
	var pid int
	await(t, "a backend to kill", 30*time.Second, func() bool {
		return a.pool.QueryRow(ctx, `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1`).Scan(&pid) == nil
	})
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

func restartPostgres(ctx context.Context, t *testing.T, dir string) {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, "*", "postmaster.pid"))
	if len(found) == 0 {
		found, _ = filepath.Glob(filepath.Join(dir, "*", "*", "postmaster.pid"))
	}
	if len(found) != 1 {
		t.Fatalf("postmaster.pid: %v", found)
	}
	body, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(body), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil { // PostgreSQL's immediate shutdown
		t.Fatal(err)
	}
	await(t, "the end of PostgreSQL", 30*time.Second, func() bool { return syscall.Kill(pid, 0) != nil })
	again, err := pg.StartCluster(ctx, dir, pg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Stop(context.Background()) })
}

// relay is a mail server that remembers whose mails it has seen whole, and can be cut off and stalled.
type relay struct {
	url string

	mu    sync.Mutex
	got   map[string]int
	total int
	conns map[net.Conn]bool
	quiet sync.RWMutex // locked while it stalls
}

func startRelay(t *testing.T) *relay {
	t.Helper()
	r := &relay{got: map[string]int{}, conns: map[net.Conn]bool{}}
	server := smtp.NewServer(r)
	server.Domain = "localhost"
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l) //nolint:errcheck // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	r.url = "smtp://" + l.Addr().String() + "?tls=off"
	return r
}

func (r *relay) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}

func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		_ = c.Close()
	}
}

func (r *relay) stall(d time.Duration) {
	r.quiet.Lock()
	defer r.quiet.Unlock()
	time.Sleep(d)
}

func (r *relay) pass() { r.quiet.RLock(); r.quiet.RUnlock() } //nolint:staticcheck // only waits

// NewSession answers a greeting.
func (r *relay) NewSession(c *smtp.Conn) (smtp.Session, error) {
	r.pass()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[c.Conn()] = true
	return &relaySession{r: r, conn: c.Conn()}, nil
}

type relaySession struct {
	r    *relay
	conn net.Conn
	to   string
}

func (s *relaySession) Mail(string, *smtp.MailOptions) error      { s.r.pass(); return nil }
func (s *relaySession) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }
func (s *relaySession) Reset()                                    {}
func (s *relaySession) Logout() error {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	delete(s.r.conns, s.conn)
	return nil
}

func (s *relaySession) Data(body io.Reader) error {
	if _, err := io.Copy(io.Discard, body); err != nil { // cut off: no mail
		return err
	}
	s.r.mu.Lock()
	s.r.got[s.to]++
	s.r.total++
	s.r.mu.Unlock()
	s.r.pass()
	time.Sleep(time.Millisecond)
	return nil
}
