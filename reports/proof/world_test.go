package proof_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"aldine/campaigns"
	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/delivery"
	"aldine/delivery/sandbox"
	"aldine/internal/fault"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/segments"
	"aldine/tracking"
)

const (
	peopleAtFirst = 40
	browser       = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)

// world is an installation with all services and their workers, whose clock the test moves.
type world struct {
	t          testing.TB
	ctx        context.Context
	pool       *pgxpool.Pool
	clock      atomic.Int64
	people     *customers.Service
	duplicates *duplicates.Service
	tracking   *tracking.Service
	campaigns  *campaigns.Service
	delivery   *delivery.Service
	urls       tracking.URLs
	links      http.Handler
	register   func(*river.Workers)
	serial     atomic.Int64

	mu   sync.Mutex
	draw *rand.Rand
}

func (w *world) now() time.Time { return time.Unix(0, w.clock.Load()).UTC() }

func newWorld(t testing.TB) *world {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("ALDINE_PROOF_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("seed %d (ALDINE_PROOF_SEED draws the same acts again)", seed)
	w := &world{t: t, ctx: context.Background(), pool: pgtest.New(t), draw: rand.New(rand.NewPCG(seed, 3))}
	w.clock.Store(time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC).UnixNano())
	quiet := slog.New(slog.DiscardHandler)
	jobs, err := queue.NewInserter(w.pool)
	w.must(err)
	store, dir := settings.New(w.pool, w.now), t.TempDir()
	signer := tracking.NewSigner([]byte("0123456789abcdef0123456789abcdef"))
	w.people = customers.New(customers.Deps{Pool: w.pool, Jobs: jobs, Settings: store, DataDir: dir, Now: w.now, Log: quiet})
	segments := segments.New(w.pool, w.now)
	w.duplicates = duplicates.New(duplicates.Deps{Pool: w.pool, Jobs: jobs, Customers: w.people, DataDir: dir, Now: w.now, Log: quiet})
	w.campaigns = campaigns.New(campaigns.Deps{Pool: w.pool, Jobs: jobs, Settings: store, Customers: w.people, Segments: segments, Now: w.now, Log: quiet})
	w.tracking = tracking.New(tracking.Deps{Pool: w.pool, Jobs: jobs, Settings: store, Customers: w.people, Signer: signer, Now: w.now, Log: quiet, Expand: w.campaigns.ExpandLink})
	w.urls, w.links = tracking.URLs{Signer: signer}, w.tracking.Handler()
	box, err := sandbox.Start(w.pool, w.now, quiet)
	w.must(err)
	t.Cleanup(func() { box.Close() })
	w.delivery, err = delivery.New(delivery.Deps{Pool: w.pool, Jobs: jobs, Settings: store, Templates: w.campaigns.Templates(), Customers: w.people, Tracking: w.tracking, Now: w.now, Log: quiet},
		delivery.Config{DataDir: dir, SMTPURL: box.SMTPURL(), SMSURL: box.SMSURL(), SMSToken: box.Token(), PublicURL: "https://aldine.example", Signer: signer})
	w.must(err)
	t.Cleanup(w.delivery.Close)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.must(w.tracking.Close(ctx))
	})
	w.register = func(workers *river.Workers) {
		w.people.Register(workers)
		segments.Register(workers)
		w.duplicates.Register(workers)
		w.tracking.Register(workers)
		w.campaigns.Register(workers, w.delivery)
		w.delivery.Register(workers)
	}
	for _, list := range []string{"House", "Rented"} {
		l := customers.CustomerList{Name: list, Kind: strings.ToLower(list)}
		if l.Kind == "rented" {
			l.PricePerThousand, l.Currency, l.Uses = decimal.MustParse("120"), "EUR", 3
		}
		_, err := w.people.SaveList(w.ctx, l)
		w.must(err)
	}
	for _, m := range []content.Template{
		{Name: "Mail", Channel: content.Email, Subject: "For {{ customer.first_name }}", HTML: `<p><a href="https://shop.example/a">a</a> <a href="https://shop.example/b">b</a></p>`},
		{Name: "Text", Channel: content.SMS, Body: "code {{ keycode }}: https://shop.example/s"},
		{Name: "Letter", Channel: content.Post, Body: "Dear {{ customer.first_name }},\n\nroses! {{ keycode }}"},
	} {
		_, err := w.campaigns.Templates().Save(w.ctx, m)
		w.must(err)
	}
	for range peopleAtFirst {
		w.must(w.newPerson())
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// any draws a number below n.
func (w *world) any(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.draw.IntN(n)
}

// one draws a row's number with a statement that has an ORDER BY and no LIMIT; 0 where there is none.
func (w *world) one(sql string) (id int64) {
	rows, err := w.pool.Query(w.ctx, sql)
	w.must(err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	w.must(err)
	if len(all) == 0 {
		return 0
	}
	return all[w.any(len(all))]
}

func (w *world) customer() int64 { return w.one(`SELECT customer_id FROM customers ORDER BY 1`) }
func (w *world) running() int64 {
	return w.one(`SELECT campaign_id FROM campaigns WHERE launched_at IS NOT NULL ORDER BY 1`)
}

// told passes over what the services refuse: two acts at once, or one that comes too late.
func told(err error) error {
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound) {
		return nil
	}
	if pe := (*pgconn.PgError)(nil); errors.As(err, &pe) && (pe.Code == "40P01" || pe.Code == "40001") {
		return nil // the caller would do it again
	}
	return err
}

func (w *world) newPerson() error {
	n := w.serial.Add(1)
	_, err := w.people.Create(w.ctx, customers.Input{Fields: customers.Fields{ExternalID: fmt.Sprintf("X%d", n), FirstName: "Ann", LastName: fmt.Sprintf("Reader%d", n%7),
		Email: fmt.Sprintf("reader%d@example.org", n), Phone: fmt.Sprintf("+1202555%04d", n%10000), Street: fmt.Sprintf("%d High Street", 1+n%9), PostalCode: "10001", City: "New York", Country: "US"}})
	return err
}

const journey = `{"start":"m","steps":[{"key":"m","type":"email","template":"Mail","unit_cost":"0.01","dedup":"email","next":"w"},
	{"key":"w","type":"wait","for":"1d","next":"b"},{"key":"b","type":"branch","if":"clicked(\"this\", \"9d\")","then":"t","else":"l"},
	{"key":"t","type":"sms","template":"Text","unit_cost":"0.05","next":"g"},{"key":"l","type":"post","template":"Letter","unit_cost":"0.7","dedup":"household","next":"w2"},
	{"key":"w2","type":"wait","for":"2d","next":"g"},{"key":"g","type":"goal","if":"bought_any(\"5d\")","next":"e"},{"key":"e","type":"end"}]}`

func (w *world) launch() error {
	budget, fixed := decimal.MustParse("1000"), decimal.MustParse("10")
	c, err := w.campaigns.Create(w.ctx, campaigns.Input{Name: fmt.Sprintf("Campaign %d", w.serial.Add(1)), Currency: "EUR", Budget: &budget, FixedCost: &fixed,
		Cells:   []campaigns.CellInput{{Name: "A", Share: decimal.MustParse("80")}, {Name: "Control", Share: decimal.MustParse("20"), Control: true}},
		Journey: json.RawMessage(strings.Replace(journey, `bought_any(\"5d\")`, "orders_count >= 5", 1))})
	if err != nil {
		return err
	}
	if _, err := w.campaigns.Approve(w.ctx, c.ID, 0); err != nil {
		return err
	}
	_, err = w.campaigns.Launch(w.ctx, c.ID)
	return err
}

// hit requests a tracked address of somebody's mail.
func (w *world) hit(method, agent string) error {
	var campaign, step, customer, link int64
	touch := w.one(`SELECT row_number() OVER (ORDER BY customer_id, campaign_id, step_id) FROM touches WHERE channel = 'email' AND state = 'sent' ORDER BY 1`)
	err := w.pool.QueryRow(w.ctx, `
		SELECT campaign_id, step_id, customer_id, coalesce((SELECT max(link_id) - @back FROM links l WHERE l.campaign_id = t.campaign_id), 0)
		FROM touches t WHERE channel = 'email' AND state = 'sent' ORDER BY customer_id, campaign_id, step_id OFFSET @n LIMIT 1`,
		pgx.NamedArgs{"n": max(0, touch-1), "back": w.any(2)}).Scan(&campaign, &step, &customer, &link)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	token := tracking.Token{CampaignID: campaign, StepID: step, CustomerID: customer, LinkID: link}
	path := w.urls.ClickURL(token)
	switch w.any(4) {
	case 0:
		path = w.urls.PixelURL(token)
	case 1:
		if w.any(4) == 0 {
			path = w.urls.TrapURL(token)
		}
	}
	r := httptest.NewRequestWithContext(w.ctx, method, path, nil)
	r.Header.Set("User-Agent", agent)
	r.RemoteAddr = "203.0.113.7:4711"
	answer := httptest.NewRecorder()
	w.links.ServeHTTP(answer, r)
	if answer.Code >= 500 {
		return fmt.Errorf("%s %s: %d", method, path, answer.Code)
	}
	return w.tracking.Settle(w.ctx) // so that what follows does not depend on time
}

// work runs the queue's workers until stop.
func (w *world) work() (stop func()) {
	workers := river.NewWorkers()
	w.register(workers)
	client, err := queue.NewWorking(w.pool, workers, "test", slog.New(slog.DiscardHandler))
	w.must(err)
	w.must(client.Start(w.ctx))
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		w.must(client.Stop(ctx))
	}
}

// rest waits until no job is due.
func (w *world) rest() {
	for deadline := time.Now().Add(120 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var left int64
		w.must(w.pool.QueryRow(w.ctx, `SELECT (SELECT count(*) FROM hit_followups) + (SELECT count(*) FROM hit_journal) + (SELECT count(*) FROM river_job WHERE kind <> 'campaign_finish'
			AND (state IN ('available', 'running', 'pending') OR state IN ('scheduled', 'retryable') AND scheduled_at < now() + interval '3 seconds'))`).Scan(&left))
		if left == 0 {
			return
		}
	}
	w.t.Fatal("the queue does not come to rest")
}
