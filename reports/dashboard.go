package reports

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/rollup"
)

// Dashboard is the first page: what runs, what came back lately, and what waits for a person.
type Dashboard struct {
	Running []Progress   `json:"running"`
	Queues  []QueueDepth `json:"queues"`
	Days    []DayCount   `json:"days"` // the last 14, oldest first
	Counts  Counts       `json:"counts"`
	Waiting []Waiting    `json:"waiting"`
}

// Progress is one running or paused campaign.
type Progress struct {
	CampaignID  int64      `json:"campaign_id"`
	Name        string     `json:"name"`
	State       string     `json:"state"`
	LaunchedAt  *time.Time `json:"launched_at,omitempty"`
	Planned     int64      `json:"planned"`
	Done        int64      `json:"done"` // sent, bounced or failed
	Sent        int64      `json:"sent"`
	Failed      int64      `json:"failed"`
	Unconfirmed int64      `json:"unconfirmed"`
	Excluded    int64      `json:"excluded"`
}

// QueueDepth is one queue of jobs. Retrying jobs failed and will be tried again; failed ones were given up.
type QueueDepth struct {
	Queue         string  `json:"queue"`
	Waiting       int64   `json:"waiting"`
	Running       int64   `json:"running"`
	Scheduled     int64   `json:"scheduled"`
	Retrying      int64   `json:"retrying"`
	Failed        int64   `json:"failed"`
	OldestSeconds float64 `json:"oldest_seconds"` // how long the oldest waiting job has been due
}

// DayCount is one day's traffic of all campaigns; what machines did is left out.
type DayCount struct {
	Day       string `json:"day"` // 2026-03-01
	Responses int64  `json:"responses"`
	Opens     int64  `json:"opens"`
	Clicks    int64  `json:"clicks"`
	Orders    int64  `json:"orders"`
}

// Counts is the size of things. Customers is the planner's estimate where there are many.
type Counts struct {
	Customers int64            `json:"customers"`
	Segments  int64            `json:"segments"`
	Campaigns map[string]int64 `json:"campaigns"` // by state
}

// Waiting is something that needs a person: approve, launch, unmatched, unconfirmed, print_failed or jobs_failed.
type Waiting struct {
	Kind  string `json:"kind"`
	Count int64  `json:"count"`
}

const (
	runningSQL = `
		SELECT campaign_id, name, state, launched_at FROM campaigns
		WHERE state IN ('running', 'paused') ORDER BY launched_at DESC, campaign_id DESC LIMIT 20`

	queuesSQL = `
		SELECT queue, count(*) FILTER (WHERE state IN ('available', 'pending')), count(*) FILTER (WHERE state = 'running'),
			count(*) FILTER (WHERE state = 'scheduled'), count(*) FILTER (WHERE state = 'retryable'),
			count(*) FILTER (WHERE state = 'discarded'),
			greatest(coalesce(extract(epoch FROM @now - min(scheduled_at) FILTER (WHERE state = 'available')), 0), 0)::float8
		FROM river_job WHERE state NOT IN ('completed', 'cancelled') GROUP BY queue ORDER BY queue`

	launchedSQL = `SELECT campaign_id FROM campaigns WHERE launched_at IS NOT NULL ORDER BY launched_at DESC, campaign_id DESC LIMIT 1000`

	sizeSQL = `SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'customers'::regclass`

	waitingSQL = `
		SELECT * FROM (
			SELECT 1 AS rank, 'approve' AS kind, count(*) AS n FROM campaigns WHERE state = 'draft' AND budget IS NOT NULL
			UNION ALL SELECT 2, 'launch', count(*) FROM campaigns WHERE state = 'approved'
			UNION ALL SELECT 3, 'unmatched', count(*) FROM unmatched_responses WHERE resolved_at IS NULL
			UNION ALL SELECT 4, 'unconfirmed', count(*) FROM touches WHERE state = 'unconfirmed'
			UNION ALL SELECT 5, 'print_failed', count(*) FROM print_runs WHERE state = 'failed'
			UNION ALL SELECT 6, 'jobs_failed', count(*) FROM river_job WHERE state = 'discarded') w
		WHERE n > 0 ORDER BY rank`

	countExactly = 200_000 // customers up to which counting them all is quick
)

// Dashboard gives the first page.
func (s *Service) Dashboard(ctx context.Context) (Dashboard, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return Dashboard{}, err
	}
	now := s.now()
	d := Dashboard{Counts: Counts{Campaigns: map[string]int64{}}}
	args := pgx.NamedArgs{"now": now}
	err = s.snapshot(ctx, func(tx pgx.Tx) (err error) {
		if err := d.progress(ctx, tx, rollup.ConfigOf(v)); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, queuesSQL, args)
		d.Queues, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (q QueueDepth, err error) {
			err = row.Scan(&q.Queue, &q.Waiting, &q.Running, &q.Scheduled, &q.Retrying, &q.Failed, &q.OldestSeconds)
			return q, err
		})
		if err != nil {
			return err
		}
		if err := d.traffic(ctx, tx, rollup.ConfigOf(v), now); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, waitingSQL)
		d.Waiting, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (w Waiting, err error) {
			var rank int
			err = row.Scan(&rank, &w.Kind, &w.Count)
			return w, err
		})
		if err != nil {
			return err
		}
		return s.sizes(ctx, tx, &d.Counts)
	})
	return d, err
}

func (d *Dashboard) progress(ctx context.Context, tx pgx.Tx, c rollup.Config) error {
	rows, _ := tx.Query(ctx, runningSQL)
	var err error
	if d.Running, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Progress, err error) {
		err = row.Scan(&p.CampaignID, &p.Name, &p.State, &p.LaunchedAt)
		return p, err
	}); err != nil {
		return err
	}
	ids := make([]int64, len(d.Running))
	at := map[int64]*Progress{}
	for i := range d.Running {
		ids[i], at[d.Running[i].CampaignID] = d.Running[i].CampaignID, &d.Running[i]
	}
	kept, err := rollup.Read(ctx, tx, c, ids, rollup.All)
	if err != nil {
		return err
	}
	for _, l := range kept.Lines {
		p := at[l.CampaignID]
		p.Planned, p.Sent, p.Failed, p.Unconfirmed, p.Excluded = l.Planned, l.Quantity, l.Failed, l.Unconfirmed, l.Excluded
		p.Done = p.Sent + p.Failed
	}
	return nil
}

// traffic counts what came back in the last 14 days, by day.
func (d *Dashboard) traffic(ctx context.Context, tx pgx.Tx, c rollup.Config, now time.Time) error {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return err
	}
	rows, _ := tx.Query(ctx, launchedSQL)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	today := now.In(zone)
	days := map[string]*DayCount{}
	d.Days = make([]DayCount, 14)
	for i := range d.Days {
		d.Days[i].Day = today.AddDate(0, 0, i-13).Format(time.DateOnly)
		days[d.Days[i].Day] = &d.Days[i]
	}
	kept, err := rollup.ReadTraffic(ctx, tx, c, ids, d.Days[0].Day)
	if err != nil {
		return err
	}
	for _, l := range kept.Lines {
		day, kind, _ := strings.Cut(l.Item, " ")
		n := days[day]
		if n == nil {
			continue
		}
		switch kind {
		case "open":
			n.Opens += l.Number
		case "complaint", "bounce", "unsubscribe":
			continue
		default:
			n.Responses += l.Number
		}
		switch kind {
		case "click":
			n.Clicks += l.Number
		case "order":
			n.Orders += l.Number
		}
	}
	return nil
}

func (s *Service) sizes(ctx context.Context, tx pgx.Tx, c *Counts) error {
	if err := tx.QueryRow(ctx, sizeSQL).Scan(&c.Customers); err != nil {
		return err
	}
	if c.Customers < countExactly {
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM customers`).Scan(&c.Customers); err != nil {
			return err
		}
	}
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM segments`).Scan(&c.Segments); err != nil {
		return err
	}
	var state string
	var n int64
	rows, _ := tx.Query(ctx, `SELECT state, count(*) FROM campaigns GROUP BY state ORDER BY state`)
	_, err := pgx.ForEachRow(rows, []any{&state, &n}, func() error { c.Campaigns[state] = n; return nil })
	return err
}
