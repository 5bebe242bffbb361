package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/rollup"
	"aldine/internal/pg"
	"aldine/tracking"
)

// A small turn of what `make soak` does at length.
func TestAcknowledgedHitsAreKept(t *testing.T) {
	t.Parallel()
	crashHits(t, 1, 700*time.Millisecond)
}

const hitPeople = 1 << 20 // enough for every hit to be somebody else's

// crashHits requests tracked links and pixels over 32 connections, while the program is killed and PostgreSQL stopped without
// warning, each some rounds with a pause between. Everything that was acknowledged must be in the table then, and nothing twice.
func crashHits(t *testing.T, rounds int, pause time.Duration) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("ALDINE_SOAK_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	draw := rand.New(rand.NewPCG(seed, 2))
	ctx := context.Background()
	dir := t.TempDir()
	cluster, err := pg.StartCluster(ctx, dir, pg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop(context.Background()) })
	cfg := &config{Data: t.TempDir(), DatabaseURL: cluster.URL(pg.Database), LogLevel: "error", LogFormat: "text"}
	a, err := openApp(ctx, cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	mailed(ctx, t, a)

	args := []string{"--data", cfg.Data, "--database-url", cfg.DatabaseURL, "--log-level", "error"}
	process, base := startServer(t, args...)
	g := newHitters(a.signer, base)
	defer g.stop()
	for i := range 2 * rounds {
		before := g.recorded.Load()
		await(t, "hits before the next crash", 60*time.Second, func() bool { return g.recorded.Load() >= before+500 })
		time.Sleep(time.Duration(draw.Int64N(int64(pause))))
		if i%2 == 0 {
			if err := process.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			_ = process.Wait()
			process, base = startServer(t, args...)
			g.base.Store(&base)
		} else {
			restartPostgres(ctx, t, dir)
		}
	}
	before := g.recorded.Load()
	await(t, "hits after the last crash", 60*time.Second, func() bool { return g.recorded.Load() >= before+500 })
	g.stop()
	compareHits(ctx, t, a, g)
	t.Logf("seed %d, %d kills, %d stops of the database: %d hits acknowledged as recorded, %d clicks redirected without, %d without an answer or refused",
		seed, rounds, rounds, g.recorded.Load(), g.unrecorded.Load(), g.failed.Load())
}

// mailed is a campaign whose mail everybody got yesterday. Hits need no customers, so there are none.
func mailed(ctx context.Context, t *testing.T, a *app) {
	t.Helper()
	for _, sql := range []string{
		`INSERT INTO campaigns (campaign_id, code, name, currency, state, created_by, created_at, updated_at, launched_at) VALUES (1, 'spring', 'Spring', 'USD', 'running', 'test', @now, @now, @now)`,
		`INSERT INTO cells (cell_id, campaign_id, name, share, position) VALUES (1, 1, 'A', 10000, 0)`,
		`INSERT INTO steps (step_id, campaign_id, version, key, position, kind, channel) VALUES (1, 1, 1, 'mail', 0, 'send', 'email')`,
		`INSERT INTO links (link_id, campaign_id, url) VALUES (1, 1, 'https://shop.example.org/roses')`,
	} {
		if _, err := a.pool.Exec(ctx, sql, pgx.NamedArgs{"now": time.Now().Add(-24 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
}

// compareHits holds the table against what the hitters have been told.
func compareHits(ctx context.Context, t *testing.T, a *app, g *hitters) {
	t.Helper()
	await(t, "the hits in the journal", 60*time.Second, func() bool {
		var left int
		return a.pool.QueryRow(ctx, `SELECT count(*) FROM hit_journal`).Scan(&left) == nil && left == 0
	})
	stored := make([]uint8, hitPeople)
	rows, err := a.pool.Query(ctx, `SELECT customer_id, kind FROM responses`)
	if err != nil {
		t.Fatal(err)
	}
	var who int64
	var kind string
	doubled, lost, wrong := 0, 0, 0
	if _, err := pgx.ForEachRow(rows, []any{&who, &kind}, func() error {
		if stored[who]++; stored[who] > 1 {
			doubled++
		}
		if kind != string(kindOf(who)) {
			wrong++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, who := range g.acknowledged {
		if stored[who] == 0 {
			lost++
		}
	}
	if doubled+lost+wrong > 0 {
		t.Errorf("of %d acknowledged hits %d are lost; %d are stored twice, %d as another kind", len(g.acknowledged), lost, doubled, wrong)
	}
	if g.unrecorded.Load() == 0 {
		t.Error("the database was away, and no click said that it was not recorded")
	}
	v, err := a.settings.Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.reports.Fold(ctx, time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		differences, err := rollup.Check(ctx, tx, rollup.ConfigOf(v), 1)
		for _, d := range differences {
			t.Errorf("figures kept: %s", d)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// hitters request one address after the other, each of another customer and only once, and note what they are told.
type hitters struct {
	signer *tracking.Signer
	base   atomic.Pointer[string]
	next   atomic.Int64
	over   atomic.Bool
	all    sync.WaitGroup

	recorded, unrecorded, failed atomic.Int64

	mu           sync.Mutex
	acknowledged []int64 // whose hit was answered as recorded
}

func newHitters(signer *tracking.Signer, base string) *hitters {
	g := &hitters{signer: signer}
	g.base.Store(&base)
	for range 32 {
		g.all.Go(g.run)
	}
	return g
}

func (g *hitters) stop() {
	g.over.Store(true)
	g.all.Wait()
}

func kindOf(who int64) tracking.Kind {
	if who%4 == 0 {
		return tracking.KindOpen
	}
	return tracking.KindClick
}

// run writes requests by itself: the client of net/http sends some of them again.
func (g *hitters) run() {
	var conn net.Conn
	var answers *bufio.Reader
	var mine []int64
	for !g.over.Load() {
		if conn == nil {
			var err error
			if conn, err = net.Dial("tcp", strings.TrimPrefix(*g.base.Load(), "http://")); err != nil {
				conn = nil
				time.Sleep(20 * time.Millisecond)
				continue
			}
			_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
			answers = bufio.NewReader(conn)
		}
		who := g.next.Add(1)
		if who >= hitPeople {
			break
		}
		told, err := g.hit(conn, answers, who)
		switch {
		case err != nil:
			_ = conn.Close()
			conn = nil
			g.failed.Add(1)
		case told == hitRecorded:
			mine = append(mine, who)
			g.recorded.Add(1)
		case told == hitUnrecorded:
			g.unrecorded.Add(1)
		default:
			g.failed.Add(1)
			time.Sleep(10 * time.Millisecond) // as Retry-After asks for, only sooner
		}
	}
	if conn != nil {
		_ = conn.Close()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.acknowledged = append(g.acknowledged, mine...)
}

type told int

const (
	hitRefused told = iota
	hitRecorded
	hitUnrecorded
)

func (g *hitters) hit(conn net.Conn, answers *bufio.Reader, who int64) (told, error) {
	urls := tracking.URLs{Signer: g.signer}
	token := tracking.Token{CampaignID: 1, StepID: 1, CustomerID: who, LinkID: 1}
	path, good := urls.ClickURL(token), http.StatusFound
	if kindOf(who) == tracking.KindOpen {
		path, good = urls.PixelURL(token), http.StatusOK
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: aldine.example\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0) Chrome/141.0 Safari/537.36\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n", path); err != nil {
		return hitRefused, err
	}
	answer, err := http.ReadResponse(answers, nil)
	if err != nil {
		return hitRefused, err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return hitRefused, err
	}
	switch {
	case answer.StatusCode != good:
		return hitRefused, nil
	case answer.Header.Get(tracking.NotRecorded) == "no":
		return hitUnrecorded, nil
	}
	return hitRecorded, nil
}
