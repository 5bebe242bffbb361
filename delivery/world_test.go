package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"aldine/campaigns"
	"aldine/campaigns/content"
	"aldine/campaigns/journey"
	"aldine/campaigns/rollup/rolluptest"
	"aldine/customers"
	"aldine/delivery"
	"aldine/delivery/sandbox"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/internal/tally"
	"aldine/tracking"
)

// start is when the tests' clock begins: a Tuesday, 15:00 in London.
var start = time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC)

// world is an installation with one running campaign of two cells and one control cell.
type world struct {
	t        testing.TB
	pool     *pgxpool.Pool
	jobs     *queue.Client
	settings *settings.Store
	store    *content.Store
	people   *customers.Service
	tracking *tracking.Service
	signer   *tracking.Signer
	box      *sandbox.Server
	delivery *delivery.Service
	config   delivery.Config
	clock    atomic.Int64
	campaign int64
	cells    []int64 // A, B, control
	lists    []int64
	steps    int
}

func (w *world) now() time.Time { return time.Unix(0, w.clock.Load()).UTC() }

func (w *world) pass(d time.Duration) { w.clock.Add(int64(d)) }

var logger = slog.New(slog.DiscardHandler)

func newWorld(t testing.TB) *world {
	t.Helper()
	pool := pgtest.New(t)
	rolluptest.Follow(t, pool)
	return newWorldOn(t, pool)
}

func newWorldOn(t testing.TB, pool *pgxpool.Pool) *world {
	t.Helper()
	w := &world{t: t, pool: pool, signer: tracking.NewSigner([]byte("0123456789abcdef"))}
	w.clock.Store(start.UnixNano())
	var err error
	if w.jobs, err = queue.NewInserter(w.pool); err != nil {
		t.Fatal(err)
	}
	w.settings = settings.New(w.pool, w.now)
	w.people = customers.New(customers.Deps{Pool: w.pool, Jobs: w.jobs, Settings: w.settings, DataDir: t.TempDir(), Now: w.now, Log: logger})
	w.store = content.NewStore(w.pool, w.people.FieldNames, w.now)
	w.tracking = tracking.New(tracking.Deps{Pool: w.pool, Jobs: w.jobs, Customers: w.people, Settings: w.settings, Signer: w.signer, Now: w.now})
	if w.box, err = sandbox.Start(w.pool, w.now, logger); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.box.Close(); err != nil {
			t.Error(err)
		}
	})
	w.config = delivery.Config{
		DataDir: t.TempDir(), SMTPURL: w.box.SMTPURL(), SMSURL: w.box.SMSURL(), SMSToken: w.box.Token(), PublicURL: "https://aldine.example", Signer: w.signer,
	}
	w.delivery = w.open(w.config)
	w.campaign = w.id(`INSERT INTO campaigns (code, name, currency, budget, state, created_by, created_at, updated_at, entry_done_at)
		VALUES ('spring-2026', 'Spring 2026', 'EUR', 1000, 'running', 'test', @now, @now, @now) RETURNING campaign_id`, pgx.NamedArgs{"now": start})
	for i, cell := range []string{"A", "B", "control"} {
		w.cells = append(w.cells, w.id(`INSERT INTO cells (campaign_id, name, share, is_control, position)
			VALUES (@campaign, @name, 3333, @control, @position) RETURNING cell_id`,
			pgx.NamedArgs{"campaign": w.campaign, "name": cell, "control": cell == "control", "position": i}))
	}
	for _, list := range []string{"house", "rented"} {
		w.lists = append(w.lists, w.id(`INSERT INTO lists (name, kind, created_at) VALUES (@name, @name, @now) RETURNING list_id`,
			pgx.NamedArgs{"name": list, "now": start}))
	}
	return w
}

// open makes another service on the same database, with relay, gateway or folder of its own.
func (w *world) open(c delivery.Config) *delivery.Service {
	w.t.Helper()
	d, err := delivery.New(delivery.Deps{
		Pool: w.pool, Jobs: w.jobs, Settings: w.settings, Templates: w.store, Customers: w.people, Tracking: w.tracking, Now: w.now, Log: logger,
	}, c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(d.Close)
	return d
}

func (w *world) id(sql string, args pgx.NamedArgs) (id int64) {
	w.t.Helper()
	if err := w.pool.QueryRow(context.Background(), sql, args).Scan(&id); err != nil {
		w.t.Fatalf("%v in %s", err, sql)
	}
	return id
}

func (w *world) exec(sql string, args pgx.NamedArgs) {
	w.t.Helper()
	if _, err := w.pool.Exec(context.Background(), sql, args); err != nil {
		w.t.Fatalf("%v in %s", err, sql)
	}
	rolluptest.Wrote(w.t, w.pool, sql)
}

func (w *world) text(sql string, args pgx.NamedArgs) (s string) {
	w.t.Helper()
	if err := w.pool.QueryRow(context.Background(), sql, args).Scan(&s); err != nil {
		w.t.Fatalf("%v in %s", err, sql)
	}
	return s
}

var templates = map[string]content.Template{
	"email": {Subject: "Roses for {{ customer.first_name }}", HTML: `<html><body><p>Dear {{ customer.first_name }}, <a href="https://shop.example/roses?id={{ customer.id }}">see</a>
		<a href="{{ unsubscribe_url }}">no more</a> {{ company.address }}</p></BODY></html>`, Body: "Dear {{ customer.first_name }}\nhttps://shop.example/roses?id={{ customer.id }}\n{{ unsubscribe_url }} {{ keycode }}"},
	"sms":   {Body: "{{ customer.first_name }}, code {{ keycode }}: https://shop.example/s"},
	"post":  {Body: "Dear {{ customer.first_name }},\n\nroses! https://shop.example/letter\n\nYours"},
	"calls": {Body: "Hello {{ customer.first_name }}, this is {{ company.name }}, code {{ keycode }}."},
}

// step adds a send step with its template.
func (w *world) step(channel, dedup, unitCost string) journey.Step {
	w.t.Helper()
	w.steps++
	t := templates[channel]
	t.Name, t.Channel = fmt.Sprintf("%s %d", channel, w.steps), channel
	t, err := w.store.Save(context.Background(), t)
	if err != nil {
		w.t.Fatal(err)
	}
	s := journey.Step{CampaignID: w.campaign, Version: 1, Key: fmt.Sprintf("s%d", w.steps), Kind: "send", Channel: channel, TemplateID: t.ID, TemplateVersion: t.Version,
		UnitCost: decimal.MustParse(unitCost), Dedup: dedup}
	s.ID = w.id(`INSERT INTO steps (campaign_id, version, key, position, kind, channel, template_id, template_version, unit_cost, dedup)
		VALUES (@campaign, 1, @key, @position, 'send', @channel, @template, @version, @cost, @dedup) RETURNING step_id`, pgx.NamedArgs{
		"campaign": w.campaign, "key": s.Key, "position": w.steps, "channel": channel, "template": t.ID, "version": t.Version, "cost": s.UnitCost, "dedup": dedup})
	for _, cell := range w.cells[:2] { // as approval does
		for _, list := range []*int64{nil, &w.lists[0], &w.lists[1]} {
			w.exec(`INSERT INTO keycodes (keycode, campaign_id, step_id, cell_id, list_id, medium, created_at) VALUES (@code, @campaign, @step, @cell, @list, @channel, @now)`,
				pgx.NamedArgs{"code": tracking.NewKeycode(nil), "campaign": w.campaign, "step": s.ID, "cell": cell, "list": list, "channel": channel, "now": start})
		}
	}
	return s
}

// person is a customer to be; "" means not known.
type person struct {
	email, phone, household, address, country, zone string
	cell                                            int // 0 A, 1 B, 2 control
	list                                            int // 0 none, 1 house, 2 rented
}

// add makes customers and lets them stand at a step.
func (w *world) add(s journey.Step, people ...person) []int64 {
	w.t.Helper()
	var ids []int64
	for i, p := range people {
		if p.country == "" {
			p.country = "GB"
		}
		id := w.id(`INSERT INTO customers (first_name, last_name, email, phone, street, postal_code, city, country, time_zone, household_id, address_hash, created_at, updated_at)
			VALUES (@name, 'Smith', nullif(@email, ''), nullif(@phone, ''), '1 High Street', @postal, 'London', @country, nullif(@zone, ''),
				nullif(@household, '')::bigint, nullif(@address, '')::bigint, @now, @now) RETURNING customer_id`, pgx.NamedArgs{
			"name": fmt.Sprintf("P%d", i), "email": p.email, "phone": p.phone, "postal": fmt.Sprintf("N%d", 9-i%10), "country": p.country, "zone": p.zone,
			"household": p.household, "address": p.address, "now": start})
		var list *int64
		if p.list > 0 {
			list = &w.lists[p.list-1]
		}
		w.exec(`INSERT INTO enrollments (customer_id, campaign_id, version, cell_id, list_id, step_id, due_at, state, entered_at, updated_at)
			VALUES (@customer, @campaign, 1, @cell, @list, @step, @now, 'active', @now, @now)`, pgx.NamedArgs{
			"customer": id, "campaign": w.campaign, "cell": w.cells[p.cell], "list": list, "step": s.ID, "now": start})
		ids = append(ids, id)
	}
	return ids
}

// plan plans a step for a range of customers and moves them on, as the engine does.
func (w *world) plan(s journey.Step, first, last int64) {
	w.t.Helper()
	ctx := context.Background()
	err := pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
		if err := w.delivery.PlanTx(ctx, tx, journey.PlanRequest{CampaignID: w.campaign, Step: s, FirstID: first, LastID: last, Now: w.now()}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE enrollments SET state = 'completed', step_id = NULL
			WHERE campaign_id = @campaign AND step_id = @step AND customer_id BETWEEN @first AND @last`,
			pgx.NamedArgs{"campaign": w.campaign, "step": s.ID, "first": first, "last": last})
		if err != nil {
			return err
		}
		return tally.MarkRangeTx(ctx, tx, w.campaign, w.now(), first, last)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

const everybody = int64(1) << 60

// work runs a process that works the queue until nothing is due; what waits for a later time is due now.
func (w *world) work(d *delivery.Service) {
	w.t.Helper()
	w.exec(`UPDATE river_job SET state = 'available', scheduled_at = now() WHERE state IN ('scheduled', 'retryable', 'available')`, nil) // print runs and retries need not wait here
	w.run(d)
}

// run is work for what is due by the queue's own clock.
func (w *world) run(d *delivery.Service) {
	w.t.Helper()
	workers := river.NewWorkers()
	d.Register(workers)
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[journey.FinishArgs]) error { return nil }))
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[tracking.RecordedArgs]) error { return nil }))
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[customers.OrdersRecordedArgs]) error { return nil }))
	client, err := queue.NewWorking(w.pool, workers, "test", logger)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx := context.Background()
	if err := client.Start(ctx); err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := client.Stop(ctx); err != nil {
			w.t.Error(err)
		}
	}()
	for deadline := time.Now().Add(10 * time.Minute); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		busy := w.id(`SELECT count(*) FROM river_job WHERE kind <> 'campaign_finish' AND (state = 'running'
			OR state IN ('available', 'pending', 'scheduled') AND scheduled_at < now() + interval '2 seconds')`, nil)
		if busy == 0 {
			return
		}
	}
	w.t.Fatal("the queue did not become idle")
}

// counts gives touches by state, or by reason of the excluded ones, as "planned:2 control:1".
func (w *world) counts(s journey.Step) string {
	w.t.Helper()
	return w.text(`SELECT coalesce(string_agg(name || ':' || n, ' ' ORDER BY name), '') FROM (
		SELECT CASE WHEN state = 'excluded' THEN reason ELSE state END AS name, count(*) AS n FROM touches
		WHERE campaign_id = @campaign AND step_id = @step GROUP BY 1) x`, pgx.NamedArgs{"campaign": w.campaign, "step": s.ID})
}

// money gives what is reserved and what is booked, and checks that the pieces booked are the pieces sent.
func (w *world) money() string {
	w.t.Helper()
	return w.text(`SELECT (SELECT coalesce(sum(amount), 0)::float8::text FROM reservations WHERE campaign_id = @campaign) || '/' ||
		(SELECT coalesce(sum(amount), 0)::float8::text FROM cost_entries WHERE campaign_id = @campaign)`, pgx.NamedArgs{"campaign": w.campaign})
}

// troubles gives what a campaign says of pieces that have to wait.
func (w *world) troubles() string {
	w.t.Helper()
	d, err := campaigns.New(campaigns.Deps{Pool: w.pool, Jobs: w.jobs, Settings: w.settings, Customers: w.people, Now: w.now, Log: logger}).Get(context.Background(), w.campaign)
	w.must(err)
	var said []string
	for _, x := range d.Troubles {
		said = append(said, x.Channel+": "+x.Message)
	}
	return strings.Join(said, "; ")
}

func (w *world) want(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}
