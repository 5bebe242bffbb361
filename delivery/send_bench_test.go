package delivery_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/campaigns/content"
	"aldine/campaigns/rollup"
	"aldine/internal/pg"
	"aldine/internal/settings"
	"aldine/internal/tally"
	"aldine/migrations"
)

// BenchmarkSend sends campaigns of two sizes into a mail server that does nothing but answer, beside a raw pump of one prepared message
// over as many connections, one command at a time. Each runs once, however large b.N is; ALDINE_BENCH_MAILS says for how many.
func BenchmarkSend(b *testing.B) {
	sizes := []int{100_000, 1_000_000}
	if n, err := strconv.Atoi(os.Getenv("ALDINE_BENCH_MAILS")); err == nil {
		sizes = []int{n}
	}
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) { sendMails(b, n) })
	}
}

func sendMails(b *testing.B, n int) {
	ctx := context.Background()
	dir := b.TempDir()
	cluster, err := pg.StartCluster(ctx, dir, pg.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cluster.Stop(ctx) })
	pool, err := pg.Open(ctx, cluster.URL(pg.Database))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	if err := migrations.Up(ctx, pool); err != nil {
		b.Fatal(err)
	}
	followAsServed(b, pool)
	w := newWorldOn(b, pool)
	address := startSink(b)
	templates["email"] = benchTemplate()
	s := w.step("email", "customer", "0.001")
	w.exec(`UPDATE campaigns SET audience = @n, budget = 1000000`, pgx.NamedArgs{"n": n})
	w.exec(`WITH c AS (INSERT INTO customers (first_name, last_name, email, city, created_at, updated_at)
			SELECT 'P' || i, 'Smith', 'p' || i || '@x' || i % 50 || '.example', 'London', now(), now() FROM generate_series(1, @n::int) i RETURNING customer_id)
		INSERT INTO enrollments (customer_id, campaign_id, version, cell_id, step_id, due_at, state, entered_at, updated_at)
		SELECT customer_id, @campaign, 1, @cell, @step, @now, 'active', @now, @now FROM c`,
		pgx.NamedArgs{"n": n, "campaign": w.campaign, "cell": w.cells[0], "step": s.ID, "now": start})
	w.exec(`ANALYZE customers`, nil)
	first, last := w.id(`SELECT min(customer_id) FROM enrollments`, nil), w.id(`SELECT max(customer_id) FROM enrollments`, nil)
	for ; first <= last; first += 10_000 {
		w.plan(s, first, first+9_999)
	}
	config := w.config
	config.SMTPURL = "smtp://" + address + "?tls=off"
	config.EmailConnections = 20
	d := w.open(config)
	prepared := bytes.Repeat([]byte("All work and no play makes a dull newsletter, they say here.\r\n"), 77) // 4.8 KB

	pumped := pump(b, address, prepared, min(n, 50_000), 8)
	peak := watchMemory()
	b.ResetTimer()
	program, database, at := cpu(), cpuOf(b, pool), time.Now()
	w.work(d)
	took := time.Since(at)
	program, database = cpu()-program, cpuOf(b, pool)-database
	b.StopTimer()
	rate := float64(n) / took.Seconds()
	b.ReportMetric(rate, "mails/s")
	b.ReportMetric(pumped, "floor-mails/s")
	b.ReportMetric(rate/pumped, "ratio")
	b.ReportMetric(float64(program.Microseconds())/float64(n), "µs-program/mail")
	b.ReportMetric(float64(database.Microseconds())/float64(n), "µs-postgres/mail")
	b.ReportMetric(float64(peak())/(1<<20), "MB-peak")
	if got := w.counts(s); got != fmt.Sprintf("sent:%d", n) {
		b.Fatal(got)
	}
}

// followAsServed keeps the figures of campaigns as a server does: package rolluptest counts all the time, and each customer alone.
func followAsServed(b *testing.B, pool *pgxpool.Pool) {
	tally.Bits = 10
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.Tick(5 * time.Second); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick:
			}
			if err := rollup.Fold(ctx, pool, rollup.ConfigOf(settings.Defaults()), time.Now, 2*time.Second); err != nil && ctx.Err() == nil {
				b.Errorf("fold: %v", err)
			}
		}
	}()
	b.Cleanup(func() { cancel(); <-done })
}

// benchTemplate makes mails of 4.8 KB with two tracked links, both parts, a personal subject and the pixel.
func benchTemplate() content.Template {
	filler := strings.Repeat("<p>A paragraph about roses and bulbs that everybody gets as it is, garden by garden.</p>\n", 26)
	plain := strings.Repeat("A line about roses that everybody gets as it is.\n", 14)
	return content.Template{
		Subject: "{{ customer.first_name }}, roses for {{ customer.city }}",
		HTML: `<html><body><p>Dear {{ customer.first_name }} {{ customer.last_name }},</p>` + filler + `<p><a href="https://shop.example/roses">See</a>
			<a href="https://shop.example/bulbs">more</a> <a href="{{ unsubscribe_url }}">no more</a> {{ company.address }}</p></body></html>`,
		Body: "Dear {{ customer.first_name }},\n" + plain + "https://shop.example/roses\nhttps://shop.example/bulbs\n{{ unsubscribe_url }}\n{{ company.address }}\n",
	}
}

// cpuOf is the processor time of the PostgreSQL server behind a pool, its ended backends included.
func cpuOf(b *testing.B, pool *pgxpool.Pool) time.Duration {
	b.Helper()
	var backend int
	if err := pool.QueryRow(context.Background(), `SELECT pg_backend_pid()`).Scan(&backend); err != nil {
		b.Fatal(err)
	}
	_, postmaster := procStat(backend)
	own, _ := procStat(postmaster)
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range all {
		pid, _ := strconv.Atoi(filepath.Base(path))
		if took, parent := procStat(pid); parent == postmaster {
			own += took
		}
	}
	return own
}

// procStat gives a process's time, with that of its ended children, and its parent.
func procStat(pid int) (took time.Duration, parent int) {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	f := strings.Fields(string(body[bytes.LastIndexByte(body, ')')+1:]))
	parent, _ = strconv.Atoi(f[1])
	for _, ticks := range f[11:15] {
		n, _ := strconv.Atoi(ticks)
		took += time.Duration(n) * 10 * time.Millisecond
	}
	return took, parent
}

// watchMemory gives the largest resident size of this process from now on.
func watchMemory() (peak func() int64) {
	var most atomic.Int64
	stop := make(chan struct{})
	go func() {
		for {
			body, _ := os.ReadFile("/proc/self/statm")
			if f := strings.Fields(string(body)); len(f) > 1 {
				pages, _ := strconv.ParseInt(f[1], 10, 64)
				most.Store(max(most.Load(), pages*int64(os.Getpagesize())))
			}
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() int64 { close(stop); return most.Load() }
}

// startSink starts a mail server that takes everything, as a process of its own.
func startSink(b *testing.B) (address string) {
	b.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestSink$", "-test.v")
	child.Env = append(os.Environ(), "ALDINE_TEST_SINK=1")
	out, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, at, ok := strings.Cut(lines.Text(), "sink at "); ok {
			return at
		}
	}
	b.Fatal("the sink did not start")
	return ""
}

// TestSink is not a test of its own: it is the mail server of BenchmarkSend.
func TestSink(t *testing.T) {
	if os.Getenv("ALDINE_TEST_SINK") == "" {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("sink at " + l.Addr().String())
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go swallow(c)
	}
}

func swallow(c net.Conn) {
	defer c.Close()
	r, w := bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 4<<10)
	say := func(s string) {
		_, _ = w.WriteString(s)
		if r.Buffered() == 0 {
			_ = w.Flush()
		}
	}
	say("220 sink\r\n")
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		switch {
		case bytes.HasPrefix(line, []byte("EHLO")):
			say("250-sink\r\n250 PIPELINING\r\n")
		case bytes.HasPrefix(line, []byte("DATA")):
			say("354 go on\r\n")
			for {
				line, err := r.ReadSlice('\n')
				if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
					return
				}
				if len(line) == 3 && line[0] == '.' {
					break
				}
			}
			say("250 taken\r\n")
		case bytes.HasPrefix(line, []byte("QUIT")):
			say("221 bye\r\n")
			_ = w.Flush()
			return
		default:
			say("250 ok\r\n")
		}
	}
}

// pump sends one message n times over some connections, each command answered before the next, and gives mails a second.
func pump(b *testing.B, address string, body []byte, n, connections int) float64 {
	b.Helper()
	var hands sync.WaitGroup
	at := time.Now()
	for range connections {
		hands.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			ask := func(s []byte) {
				_, _ = c.Write(s)
				for {
					line, err := r.ReadSlice('\n')
					if err != nil || len(line) > 3 && line[3] == ' ' {
						return
					}
				}
			}
			ask(nil)
			ask([]byte("EHLO bench\r\n"))
			whole := append(bytes.Clone(body), ".\r\n"...)
			for range n / connections {
				ask([]byte("MAIL FROM:<news@aldine.example>\r\n"))
				ask([]byte("RCPT TO:<somebody@x.example>\r\n"))
				ask([]byte("DATA\r\n"))
				ask(whole)
			}
		})
	}
	hands.Wait()
	return float64(n) / time.Since(at).Seconds()
}
