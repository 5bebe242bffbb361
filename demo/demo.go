package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/campaigns"
	"aldine/customers"
	"aldine/delivery"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/reports"
	"aldine/segments"
	"aldine/tracking"
)

// Services are what the demonstration drives. Their clock must be Clock, their workers must be running, and BaseURL
// must reach the tracked links.
type Services struct {
	Pool      *pgxpool.Pool
	Settings  *settings.Store
	Customers *customers.Service
	Segments  *segments.Service
	Campaigns *campaigns.Service
	Tracking  *tracking.Service
	Delivery  *delivery.Service
	Reports   *reports.Service
	Clock     *Clock
	BaseURL   string
	Say       func(format string, args ...any) // progress, one line a call
}

// Demo is one run of the demonstration.
type Demo struct {
	Services
	rng    *rand.Rand
	people []person
	start  time.Time // launch of the spring campaign
	serial int       // of order numbers
	client *http.Client
}

// ranFor is how long ago the spring campaign began; it has ended since.
const ranFor = 62 * 24 * time.Hour

// New prepares a run; the same seed draws the same people and behaviour.
func New(s Services, seed uint64) *Demo {
	now := s.Clock.Now()
	day := time.Date(now.Year(), now.Month(), now.Day(), 15, 0, 0, 0, time.UTC)
	return &Demo{
		Services: s, rng: rand.New(rand.NewPCG(seed, 1498)), start: day.Add(-ranFor),
		client: &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// State says what a database holds of the demonstration.
type State int

// The states of a database.
const (
	Empty       State = iota
	Interrupted       // the demonstration was begun and not ended
	InUse             // it holds the demonstration, or somebody's own customers
)

// Look tells what the database holds.
func Look(ctx context.Context, pool *pgxpool.Pool) (State, error) {
	var begun, used bool
	err := pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM settings WHERE name = 'demonstration' AND value = '"loading"'),
		       EXISTS (SELECT 1 FROM customers) OR EXISTS (SELECT 1 FROM campaigns)`).Scan(&begun, &used)
	switch {
	case err != nil || !begun && !used:
		return Empty, err
	case begun:
		return Interrupted, nil
	}
	return InUse, nil
}

// Load fills an empty database: n customers, a finished campaign and a running one.
func (d *Demo) Load(ctx context.Context, n int) error {
	defer d.Clock.Release()
	if err := d.note(ctx, "loading"); err != nil {
		return err
	}
	if _, err := d.finished(ctx, n); err != nil {
		return err
	}
	d.Clock.Release()
	if err := d.running(ctx); err != nil {
		return err
	}
	if err := d.shop(ctx); err != nil {
		return err
	}
	if err := d.Segments.CountDue(ctx); err != nil {
		return err
	}
	return d.note(ctx, "loaded")
}

// note writes down how far the loading has come, so that a start after an interruption can tell.
func (d *Demo) note(ctx context.Context, state string) error {
	_, err := d.Pool.Exec(ctx, `
		INSERT INTO settings (name, value, updated_at) VALUES ('demonstration', to_jsonb(@state::text), @now)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
		pgx.NamedArgs{"state": state, "now": time.Now()})
	return err
}

// finished sets up the company and runs the spring campaign from draft to end, two months in the past.
func (d *Demo) finished(ctx context.Context, n int) (int64, error) {
	d.Clock.Set(d.start.Add(-24 * time.Hour))
	if err := d.company(ctx, n); err != nil {
		return 0, err
	}
	return d.spring(ctx)
}

// at moves the clock to a time after the start of the spring campaign.
func (d *Demo) at(days, hours float64) {
	d.Clock.Set(d.start.Add(time.Duration((days*24 + hours) * float64(time.Hour))))
}

// settle waits until the queue has nothing left to do. Jobs put off by seconds count, those put off by days do not, nor
// does the question whether the campaign is over, which is put off each time something happens.
func (d *Demo) settle(ctx context.Context) error {
	return d.await(ctx, campaigns.FinishArgs{}.Kind())
}

func (d *Demo) await(ctx context.Context, later ...string) error {
	quiet := 0
	for quiet < 3 {
		if err := d.failedJobs(ctx); err != nil {
			return err
		}
		idle, err := queue.Idle(ctx, d.Pool, time.Now().Add(time.Minute), later...)
		if err != nil {
			return err
		}
		if idle {
			quiet++
		} else {
			quiet = 0
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// failedJobs tells of a job that was given up: waiting for it would never end.
func (d *Demo) failedJobs(ctx context.Context) error {
	var kind, cause string
	err := d.Pool.QueryRow(ctx, `
		SELECT kind, coalesce(errors[array_upper(errors, 1)]->>'error', '') FROM river_job
		WHERE state = 'discarded' OR state = 'retryable' AND attempt >= 3 ORDER BY id LIMIT 1`).Scan(&kind, &cause)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("job %s failed: %s", kind, cause)
}

// launch creates a campaign and brings it under way.
func (d *Demo) launch(ctx context.Context, in campaigns.Input) (int64, error) {
	c, err := d.Campaigns.Create(ctx, in)
	if err != nil {
		return 0, err
	}
	if _, err := d.Campaigns.Approve(ctx, c.ID, 0); err != nil {
		return 0, err
	}
	if _, err := d.Campaigns.Launch(ctx, c.ID); err != nil {
		return 0, err
	}
	return c.ID, nil
}

// walk lets a campaign's customers go on as far as the clock allows.
func (d *Demo) walk(ctx context.Context, campaignID int64) error {
	if err := d.Campaigns.Engine().Poke(ctx, campaignID); err != nil {
		return err
	}
	return d.settle(ctx)
}
