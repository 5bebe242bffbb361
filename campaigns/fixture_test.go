package campaigns

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"aldine/campaigns/content"
	"aldine/campaigns/journey"
	"aldine/customers"
	"aldine/internal/fault"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/segments"
	"aldine/tracking"
)

// fixture is a service on a database of its own, with a clock that tests move.
type fixture struct {
	*Service
	pool *pgxpool.Pool

	mu    sync.Mutex
	clock time.Time
}

func setup(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{pool: pgtest.New(t), clock: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	jobs, err := queue.NewInserter(f.pool)
	if err != nil {
		t.Fatal(err)
	}
	store := settings.New(f.pool, f.time)
	log := slog.New(slog.DiscardHandler)
	f.Service = New(Deps{Pool: f.pool, Jobs: jobs, Settings: store, Now: f.time, Log: log,
		Customers: customers.New(customers.Deps{Pool: f.pool, Jobs: jobs, Settings: store, DataDir: t.TempDir(), Now: f.time, Log: log}),
		Segments:  segments.New(f.pool, f.time)})
	f.Register(river.NewWorkers(), planner{})
	return f
}

func (f *fixture) time() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clock
}

func (f *fixture) move(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clock = f.clock.Add(d)
}

// planner plans a touch for everybody, control excepted. Package delivery has the real one.
type planner struct{}

func (planner) PlanTx(ctx context.Context, tx pgx.Tx, r journey.PlanRequest) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, list_id, state, reason, keycode, unit_cost, planned_at, updated_at)
		SELECT e.customer_id, e.campaign_id, e.step_id, @channel, e.cell_id, e.list_id, CASE WHEN c.is_control THEN 'excluded' ELSE 'planned' END,
			CASE WHEN c.is_control THEN 'control' END, k.keycode, @cost, @now, @now
		FROM enrollments e JOIN cells c ON c.cell_id = e.cell_id
		LEFT JOIN keycodes k ON k.campaign_id = e.campaign_id AND k.step_id = e.step_id AND k.cell_id = e.cell_id AND k.list_id IS NOT DISTINCT FROM e.list_id
		WHERE e.campaign_id = @campaign AND e.customer_id BETWEEN @first AND @last AND e.state = 'active' AND e.step_id = @step AND e.due_at <= @now`,
		pgx.NamedArgs{"campaign": r.CampaignID, "step": r.Step.ID, "channel": r.Step.Channel, "cost": r.Step.UnitCost, "first": r.FirstID, "last": r.LastID, "now": r.Now})
	return err
}

// send turns planned touches into sent ones.
func (f *fixture) send(t testing.TB, id int64) {
	t.Helper()
	f.exec(t, `UPDATE touches SET state = 'sent', sent_at = @now, updated_at = @now WHERE campaign_id = @id AND state = 'planned'`, pgx.NamedArgs{"id": id, "now": f.time()})
}

// work does the jobs that wait, as the queue would; those for later are left.
func (f *fixture) work(t testing.TB) {
	t.Helper()
	for range 10_000 {
		if !f.work1(t) {
			return
		}
	}
	t.Fatal("the jobs do not end")
}

// work1 does the job that waits first; it tells whether there was one.
func (f *fixture) work1(t testing.TB) bool {
	t.Helper()
	ctx := t.Context()
	var id int64
	var kind string
	var args []byte
	err := f.pool.QueryRow(ctx, `
		DELETE FROM river_job WHERE id = (SELECT id FROM river_job WHERE state IN ('available', 'scheduled') AND scheduled_at <= @at
			AND kind IN ('journey_entry', 'journey_advance', 'campaign_finish', 'tracking_recorded') ORDER BY id LIMIT 1)
		RETURNING id, kind, args`, pgx.NamedArgs{"at": time.Now().Add(5 * time.Second)}).Scan(&id, &kind, &args)
	if errors.Is(err, pgx.ErrNoRows) {
		return false
	} else if err != nil {
		t.Fatal(err)
	}
	switch kind {
	case "journey_entry":
		err = f.engine.Enter(ctx, decode[journey.EntryArgs](t, args))
	case "journey_advance":
		err = f.engine.Advance(ctx, decode[journey.AdvanceArgs](t, args))
	case "campaign_finish":
		err = f.finish(ctx, decode[FinishArgs](t, args).CampaignID)
	case "tracking_recorded":
		err = f.engine.Wake(ctx, decode[tracking.RecordedArgs](t, args))
	}
	if err != nil {
		t.Fatalf("%s %s: %v", kind, args, err)
	}
	return true
}

func decode[T any](t testing.TB, b []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// pass moves the clock and works what has become due.
func (f *fixture) pass(t testing.TB, id int64, d time.Duration) {
	t.Helper()
	f.move(d)
	if err := f.engine.Poke(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	f.work(t)
}

func (f *fixture) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := f.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func one[T any](t testing.TB, f *fixture, sql string, args ...any) (v T) {
	t.Helper()
	if err := f.pool.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// people adds customers; every third has no list, the others list 1 (house) and 2 (rented, 100 a thousand).
func (f *fixture) people(t testing.TB, n int) {
	t.Helper()
	f.exec(t, `INSERT INTO lists (list_id, name, kind, price_per_thousand, currency, created_at) OVERRIDING SYSTEM VALUE
		VALUES (1, 'House', 'house', 0, NULL, @now), (2, 'Rented', 'rented', 100, 'EUR', @now) ON CONFLICT DO NOTHING`, pgx.NamedArgs{"now": f.time()})
	f.exec(t, `INSERT INTO customers (first_name, email, list_id, orders_count, created_at, updated_at)
		SELECT 'P' || i, 'p' || i || '@example.org', NULLIF(i % 3, 0), i % 5, @now, @now FROM generate_series(1, @n::int) i`, pgx.NamedArgs{"n": n, "now": f.time()})
	f.exec(t, `ANALYZE customers`)
}

// rent makes the customers of list 2 rented names.
func (f *fixture) rent(t testing.TB) {
	t.Helper()
	f.exec(t, `UPDATE customers SET rented = true WHERE list_id = 2`)
	f.exec(t, `INSERT INTO list_members (customer_id, list_id, added_at) SELECT customer_id, list_id, created_at FROM customers WHERE list_id = 2 ON CONFLICT DO NOTHING`)
}

func (f *fixture) template(t testing.TB, name, channel string) content.Template {
	t.Helper()
	v := content.Template{Name: name, Channel: channel, Body: "Dear {{ customer.first_name }}, your code is {{ keycode }}."}
	if channel == content.Email {
		v.Subject, v.HTML = "Hello {{ customer.first_name }}", `<p><a href="https://shop.example/roses">Roses</a></p>`
	}
	saved, err := f.content.Save(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func amount(s string) *decimal.Decimal { d := decimal.MustParse(s); return &d }

func steps(s ...string) json.RawMessage {
	return json.RawMessage(`{"steps":[` + strings.Join(s, ",") + `]}`)
}

// oneMail is the shortest real journey; it needs the template "Mail".
var oneMail = steps(`{"key":"mail","type":"email","template":"Mail","unit_cost":"0.01"}`)

func (f *fixture) create(t testing.TB, in Input) Details {
	t.Helper()
	if in.Name == "" {
		in.Name = "Spring"
	}
	if in.Currency == "" {
		in.Currency = "EUR"
	}
	if in.Budget == nil {
		in.Budget = amount("100000")
	}
	d, err := f.Create(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// launch creates, approves and launches.
func (f *fixture) launch(t testing.TB, in Input) Details {
	t.Helper()
	d := f.create(t, in)
	if _, err := f.Approve(t.Context(), d.ID, 0); err != nil {
		t.Fatal(err)
	}
	d, err := f.Launch(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (f *fixture) get(t testing.TB, id int64) Details {
	t.Helper()
	d, err := f.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// wants fails unless err is an Invalid error with the field and message.
func wants(t *testing.T, err error, field, message string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid {
		t.Fatalf("want an Invalid error, got %v", err)
	}
	for _, x := range f.Fields {
		if x.Name == field && strings.Contains(x.Message, message) {
			return
		}
	}
	t.Fatalf("want %s with %q, got %v", field, message, err)
}
