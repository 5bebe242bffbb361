package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"
	"github.com/riverqueue/river"

	"aldine/api"
	"aldine/campaigns"
	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/customers/mergepurge"
	"aldine/delivery"
	"aldine/delivery/inbound"
	"aldine/delivery/sandbox"
	"aldine/insights"
	"aldine/internal/access"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/reports"
	"aldine/segments"
	"aldine/tracking"
)

// server is the whole REST interface with its real services on a database of its own.
type server struct {
	t      testing.TB
	url    string
	pool   *pgxpool.Pool
	deps   api.Deps
	api    *api.API
	tokens map[access.Role]string
	log    *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// start serves the interface; with work, jobs are worked too.
func start(t testing.TB, work bool) *server {
	t.Helper()
	pool := pgtest.New(t)
	now := time.Now
	s := &server{t: t, pool: pool, tokens: map[access.Role]string{}, log: &lockedBuffer{}}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	jobs := must[*queue.Client](t)(queue.NewInserter(pool))
	store := settings.New(pool, now)
	signer := tracking.NewSigner([]byte(strings.Repeat("k", 32)))
	d := api.Deps{Pool: pool, Settings: store, Access: access.New(pool, now), Now: now, Log: log, Version: "test", MaxImport: 1 << 20}
	dir := t.TempDir()
	d.Customers = customers.New(customers.Deps{Pool: pool, Jobs: jobs, Settings: store, DataDir: dir, Now: now, Log: log})
	d.Segments = segments.New(pool, now)
	d.Insights = insights.New(pool, d.Segments, store, now)
	compile := func(ctx context.Context, expression, prefix string, first, last int64) (mergepurge.Selection, error) {
		compiled, err := d.Segments.Compile(ctx, expression, d.Now())
		if err != nil {
			return mergepurge.Selection{}, err
		}
		where, args := compiled.WhereSlice("c", prefix, first, last)
		return mergepurge.Selection{Where: where, Args: args, Ranked: compiled.Ranks()}, nil
	}
	d.MergePurge = mergepurge.New(mergepurge.Deps{Pool: d.Pool, Jobs: jobs, Settings: d.Settings, Customers: d.Customers, Audience: compile, Veil: d.Segments.Veil, DataDir: dir, Now: d.Now, Log: log})
	d.Duplicates = duplicates.New(duplicates.Deps{Pool: d.Pool, Jobs: jobs, Customers: d.Customers, DataDir: dir, Now: d.Now, Log: log})
	d.Campaigns = campaigns.New(campaigns.Deps{Pool: pool, Jobs: jobs, Settings: store, Customers: d.Customers, Segments: d.Segments, Now: now, Log: log})
	d.Tracking = tracking.New(tracking.Deps{Pool: pool, Jobs: jobs, Settings: store, Customers: d.Customers, Signer: signer, Now: now, Log: log, Expand: d.Campaigns.ExpandLink})
	d.Inbound = inbound.New(inbound.Deps{Pool: pool, Settings: store, Tracking: d.Tracking, Signer: signer, Now: now, Log: log})
	t.Cleanup(func() { _ = d.Tracking.Close(context.Background()) })
	d.Reports = reports.New(pool, store, now)
	box := must[*sandbox.Server](t)(sandbox.Start(pool, now, log))
	t.Cleanup(func() { _ = box.Close() })
	d.Delivery = must[*delivery.Service](t)(delivery.New(delivery.Deps{Pool: pool, Jobs: jobs, Settings: store, Templates: d.Campaigns.Templates(),
		Tracking: d.Tracking, Now: now, Log: log}, delivery.Config{DataDir: dir, SMTPURL: box.SMTPURL(), SMSURL: box.SMSURL(), SMSToken: box.Token(),
		PublicURL: "http://track.example", Signer: signer}))
	t.Cleanup(d.Delivery.Close)
	for _, role := range access.Roles() {
		_, secret, err := d.Access.CreateToken(t.Context(), string(role), role, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.tokens[role] = secret
	}
	if work {
		workers := river.NewWorkers()
		d.Customers.Register(workers)
		d.MergePurge.Register(workers)
		d.Duplicates.Register(workers)
		d.Tracking.Register(workers)
		d.Campaigns.Register(workers, d.Delivery)
		d.Delivery.Register(workers)
		c := must[*queue.Client](t)(queue.NewWorking(pool, workers, "test", log, d.Campaigns.Periodic()...))
		if err := c.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := c.StopAndCancel(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	e := echo.New()
	s.api = api.New(d)
	s.api.Register(e)
	s.deps = d
	h := httptest.NewServer(e)
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

type reply struct {
	status int
	header http.Header
	body   string
}

// json digs a value out of the body: "items.0.name".
func (r reply) json(t testing.TB, path string) string {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(r.body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("body is not JSON: %v\n%s", err, r.body)
	}
	for _, key := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(x) {
				return "missing"
			}
			v = x[i]
		default:
			return "missing"
		}
	}
	return fmt.Sprint(v)
}

func (s *server) do(method, path, body string, header ...string) reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.tokens[access.Admin])
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			req.Header.Del(header[i])
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

// want asks and checks the status; it returns the reply.
func (s *server) want(status int, method, path, body string, header ...string) reply {
	s.t.Helper()
	r := s.do(method, path, body, header...)
	if r.status != status {
		s.t.Fatalf("%s %s gives %d, want %d:\n%s\nlog: %s", method, path, r.status, status, r.body, s.log)
	}
	return r
}

func TestSmoke(t *testing.T) {
	t.Parallel()
	s := start(t, false)
	s.want(200, "GET", "/api/v1/customers", "")
}
