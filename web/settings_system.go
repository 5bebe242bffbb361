package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"
	"github.com/riverqueue/river"

	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/pace"
	"aldine/reports"
)

func escapeQuery(s string) string { return url.QueryEscape(s) }

type auditPage struct {
	settingsFrame
	Entries     []auditLine
	Filtered    bool
	First, Next string
}

type auditLine struct {
	reports.AuditEntry
	DetailText string
}

var auditView = pageView[auditPage]("settings-audit")

func (p *Pages) auditLog(c echo.Context) error {
	f := form{values: c.QueryParams()}
	filter := reports.AuditFilter{Actor: f.Text("actor"), Action: f.Text("action"), Kind: f.Text("kind"), ObjectID: f.Text("object"), After: f.Get("after"), Limit: 100}
	entries, next, err := p.Reports.Audit(ctx(c), filter)
	if err != nil {
		return err
	}
	page := auditPage{settingsFrame: p.settingsFrame(c, "Audit log", f)}
	for _, e := range entries {
		line := auditLine{AuditEntry: e}
		if len(e.Detail) > 0 {
			body, err := json.Marshal(e.Detail)
			if err != nil {
				return err
			}
			line.DetailText = string(body)
		}
		page.Entries = append(page.Entries, line)
	}
	query := url.Values{}
	for _, name := range []string{"actor", "action", "kind", "object"} {
		if v := f.Text(name); v != "" {
			query.Set(name, v)
			page.Filtered = true
		}
	}
	if filter.After != "" {
		page.First = "/settings/audit?" + query.Encode()
	}
	if next != "" {
		query.Set("after", next)
		page.Next = "/settings/audit?" + query.Encode()
	}
	return show(p, c, auditView, page)
}

type jobsPage struct {
	settingsFrame
	Queues  []reports.QueueDepth
	Failed  []failedJob
	Nodes   []node
	Size    string
	Server  string
	Version string
	Now     time.Time
	Ramp    pace.Standing // of the e-mails' sender
	Sender  string
}

// failedJob is a job that was given up, or failed and will be tried again.
type failedJob struct {
	ID       int64
	Kind     string
	Queue    string
	State    string
	Attempt  int
	Message  *string
	At       *time.Time
	RunsNext time.Time
}

// node is a process that works jobs.
type node struct {
	Name      string
	StartedAt time.Time
	BeatAt    time.Time
}

var jobsView = pageView[jobsPage]("settings-jobs")

func (p *Pages) jobs(c echo.Context) error {
	page := jobsPage{settingsFrame: p.settingsFrame(c, "Jobs and health", form{}), Version: p.Version, Now: p.Now()}
	d, err := p.Reports.Dashboard(ctx(c))
	if err != nil {
		return err
	}
	page.Queues = d.Queues
	if page.Failed, err = p.failedJobs(ctx(c)); err != nil {
		return err
	}
	rows, err := p.Pool.Query(ctx(c), `SELECT node_id AS name, started_at, beat_at FROM nodes ORDER BY started_at, node_id`)
	if err != nil {
		return err
	}
	if page.Nodes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[node]); err != nil {
		return err
	}
	err = p.Pool.QueryRow(ctx(c), `SELECT pg_size_pretty(pg_database_size(current_database())), current_setting('server_version')`).Scan(&page.Size, &page.Server)
	if err != nil {
		return err
	}
	v, err := p.Settings.Get(ctx(c))
	if err != nil {
		return err
	}
	ramp := v.Ramp()
	page.Sender = ramp.Sender
	if page.Ramp, err = ramp.Look(ctx(c), p.Pool, p.Now()); err != nil {
		return err
	}
	return show(p, c, jobsView, page)
}

func (p *Pages) failedJobs(ctx context.Context) ([]failedJob, error) {
	rows, err := p.Pool.Query(ctx, `
		SELECT id, kind, queue, state::text, attempt, errors[array_upper(errors, 1)] ->> 'error',
			(errors[array_upper(errors, 1)] ->> 'at')::timestamptz, scheduled_at
		FROM river_job WHERE state IN ('discarded', 'retryable') ORDER BY id DESC LIMIT 50`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[failedJob])
}

// jobRetry lets a job run again now.
func (p *Pages) jobRetry(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx(c), p.Pool, func(tx pgx.Tx) error {
		job, err := p.Jobs.JobRetryTx(ctx(c), tx, id)
		if errors.Is(err, river.ErrNotFound) {
			return fault.New(fault.NotFound, "There is no job %d", id)
		} else if err != nil {
			return err
		}
		return audit.RecordTx(ctx(c), tx, p.Now(), "job.retry", "job", id, map[string]any{"kind": job.Kind})
	})
	if err != nil {
		return err
	}
	return p.done(c, "/settings/jobs", "The job runs again.")
}
