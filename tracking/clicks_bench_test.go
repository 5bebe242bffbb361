package tracking_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/customers"
	"aldine/internal/pg"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/migrations"
	"aldine/tracking"
)

const (
	clickers = 64      // connections of the generator
	clicked  = 100_000 // customers who got the mail
)

// BenchmarkClicks sends clicks over 64 kept connections to a server whose database keeps its promises when the power fails, and
// beside it the same clicks to a server that only reads the token and redirects.
func BenchmarkClicks(b *testing.B) {
	pool := durable(b)
	s, signer := openFor(b, pool)
	before := spent(b, pool)
	stored := clicks(b, signer, s.Handler(), 3*time.Second)
	after := spent(b, pool)
	begun := time.Now()
	if err := s.Settle(context.Background()); err != nil {
		b.Fatal(err)
	}
	landed, late := spent(b, pool), time.Since(begun)
	floor := clicks(b, signer, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := signer.Verify(tracking.Click, strings.TrimPrefix(r.URL.Path, "/t/c/")); err != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Location", "https://shop.example.org/")
		w.WriteHeader(http.StatusFound)
	}), time.Second)
	var kept int
	if err := pool.QueryRow(context.Background(), `SELECT count(*) FROM responses`).Scan(&kept); err != nil {
		b.Fatal(err)
	}
	if kept != stored.n {
		b.Fatalf("%d clicks were answered, %d stored", stored.n, kept)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(stored.rate, "clicks/s")
	b.ReportMetric(stored.p50, "p50-ms")
	b.ReportMetric(stored.p99, "p99-ms")
	each := func(from, to float64) float64 { return (to - from) / float64(stored.n) * 1e6 }
	b.ReportMetric(each(before.own, after.own), "own-cpu-us/click") // the generator's included
	b.ReportMetric(each(before.database, after.database), "pg-cpu-us/click")
	b.ReportMetric(each(after.own, landed.own), "own-landing-us/click") // what landed only after the last answer
	b.ReportMetric(each(after.database, landed.database), "pg-landing-us/click")
	b.ReportMetric(late.Seconds(), "landing-s")
	b.ReportMetric(floor.rate, "floor-clicks/s")
	b.ReportMetric(stored.rate/floor.rate, "ratio")
}

// durable is a database with fsync on.
func durable(b *testing.B) *pgxpool.Pool {
	b.Helper()
	ctx := context.Background()
	cluster, err := pg.StartCluster(ctx, b.TempDir(), pg.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := cluster.Stop(ctx); err != nil {
			b.Error(err)
		}
	})
	pool, err := pg.Open(ctx, cluster.URL("postgres"), pg.MaxConns(8))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	if err := migrations.Up(ctx, pool); err != nil {
		b.Fatal(err)
	}
	return pool
}

// openFor gives a service for a campaign that has been mailed.
func openFor(b *testing.B, pool *pgxpool.Pool) (*tracking.Service, *tracking.Signer) {
	b.Helper()
	ctx := context.Background()
	for _, sql := range []string{
		`INSERT INTO campaigns (campaign_id, code, name, currency, state, created_by, created_at, updated_at) VALUES (1, 'spring', 'Spring', 'USD', 'running', 'test', now(), now())`,
		`INSERT INTO cells (cell_id, campaign_id, name, share, position) VALUES (1, 1, 'A', 10000, 0)`,
		`INSERT INTO steps (step_id, campaign_id, version, key, position, kind, channel) VALUES (1, 1, 1, 'mail', 0, 'send', 'email')`,
		`INSERT INTO links (link_id, campaign_id, url) VALUES (1, 1, 'https://shop.example.org/roses')`,
		fmt.Sprintf(`INSERT INTO customers (customer_id, email, created_at, updated_at) SELECT n, n || '@example.org', now(), now() FROM generate_series(1, %d) n`, clicked),
		fmt.Sprintf(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, planned_at, sent_at, updated_at)
			SELECT n, 1, 1, 'email', 1, 'sent', now(), now() - interval '1 day', now() FROM generate_series(1, %d) n`, clicked),
		`VACUUM ANALYZE`,
	} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			b.Fatal(err)
		}
	}
	jobs, err := queue.NewInserter(pool)
	if err != nil {
		b.Fatal(err)
	}
	signer, store := tracking.NewSigner(secret), settings.New(pool, time.Now)
	s := tracking.New(tracking.Deps{Pool: pool, Jobs: jobs, Settings: store, Signer: signer, Now: time.Now,
		Customers: customers.New(customers.Deps{Pool: pool, Jobs: jobs, Settings: store, DataDir: b.TempDir(), Now: time.Now})})
	b.Cleanup(func() { s.Close(ctx) })
	return s, signer
}

// cpu is processor time, in seconds.
type cpu struct{ own, database float64 }

// spent adds up the time of this process and of the database's processes, which tells more than the clock on a busy machine.
func spent(b *testing.B, pool *pgxpool.Pool) (c cpu) {
	b.Helper()
	rows, err := pool.Query(context.Background(), `SELECT pid FROM pg_stat_activity ORDER BY pid`)
	if err != nil {
		b.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		b.Fatal(err)
	}
	for _, pid := range append(pids, os.Getpid()) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		var user, system float64
		fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
		if seconds := (user + system) / 100; pid == os.Getpid() {
			c.own += seconds
		} else {
			c.database += seconds
		}
	}
	return c
}

type measured struct {
	n              int
	rate, p50, p99 float64 // milliseconds
}

// clicks sends as many clicks as the connections take in the time, one after the other on each, and looks at every answer.
func clicks(b *testing.B, signer *tracking.Signer, h http.Handler, length time.Duration) measured {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go server.Serve(listener)
	defer server.Close()
	requests := make([][]byte, 20_000)
	for n := range requests {
		token := signer.Sign(tracking.Click, tracking.Token{CampaignID: 1, StepID: 1, CustomerID: int64(n)*7919%clicked + 1, LinkID: 1})
		requests[n] = fmt.Appendf(nil, "GET /t/c/%s HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: 203.0.113.7\r\nUser-Agent: %s\r\n\r\n", token, browser)
	}
	var next atomic.Int64
	var all [clickers][]time.Duration
	var group sync.WaitGroup
	begun := time.Now()
	for i := range clickers {
		group.Go(func() {
			c, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			in := bufio.NewReader(c)
			for time.Since(begun) < length {
				request := requests[next.Add(1)%int64(len(requests))]
				sent := time.Now()
				if _, err := c.Write(request); err != nil {
					b.Error(err)
					return
				}
				if err := redirected(in); err != nil {
					b.Error(err)
					return
				}
				all[i] = append(all[i], time.Since(sent))
			}
		})
	}
	group.Wait()
	took := time.Since(begun)
	var times []time.Duration
	for _, t := range all {
		times = append(times, t...)
	}
	slices.Sort(times)
	ms := func(q float64) float64 { return times[int(q*float64(len(times)-1))].Seconds() * 1000 }
	return measured{n: len(times), rate: float64(len(times)) / took.Seconds(), p50: ms(0.5), p99: ms(0.99)}
}

// redirected reads one answer.
func redirected(in *bufio.Reader) error {
	first := true
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !strings.HasPrefix(string(line), "HTTP/1.1 302 ") {
			return fmt.Errorf("answered %q", line)
		}
		if first = false; len(line) <= 2 {
			return nil
		}
	}
}
