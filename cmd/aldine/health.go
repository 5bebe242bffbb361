package main

import (
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"aldine/internal/queue"
	"aldine/migrations"
)

// registerHealth adds what operators watch: /healthz says that the process answers, /readyz that it can work (database
// there, schema up to date), /metrics what it does.
func (a *app) registerHealth(e *echo.Echo) {
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), 2*time.Second)
		defer cancel()
		pending, err := migrations.Pending(ctx, a.pool)
		switch {
		case err != nil:
			a.log.Warn("not ready", "error", err)
			return c.String(http.StatusServiceUnavailable, "the database does not answer\n")
		case pending > 0:
			return c.String(http.StatusServiceUnavailable, "the database's schema is not up to date: run aldine migrate\n")
		}
		return c.String(http.StatusOK, "ready\n")
	})
	a.metrics.MustRegister(queueCollector{a})
	e.GET("/metrics", echo.WrapHandler(promhttp.HandlerFor(a.metrics, promhttp.HandlerOpts{})))
}

// queueCollector reads depth and age of the job queue when metrics are asked for.
type queueCollector struct{ a *app }

var (
	queueDepth = prometheus.NewDesc("aldine_queue_jobs", "Jobs by queue and state.", []string{"queue", "state"}, nil)
	queueAge   = prometheus.NewDesc("aldine_queue_oldest_seconds", "Age of the oldest job that could run now.", []string{"queue"}, nil)
)

// Describe names the metrics.
func (queueCollector) Describe(ch chan<- *prometheus.Desc) { ch <- queueDepth; ch <- queueAge }

// Collect reads them.
func (q queueCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	// An empty queue has a depth and an age too, both 0: an alarm must tell "nothing to do" from "nobody says".
	rows, err := q.a.pool.Query(ctx, `
		SELECT q.queue, s.state, count(j.id), coalesce(extract(epoch FROM @now - min(j.scheduled_at)), 0)::float8
		FROM unnest(@queues::text[]) AS q (queue)
		CROSS JOIN unnest('{available,running,scheduled,retryable,discarded}'::text[]) AS s (state)
		LEFT JOIN river_job j ON j.queue = q.queue AND j.state = s.state::river_job_state
		GROUP BY q.queue, s.state ORDER BY q.queue, s.state`, pgx.NamedArgs{"now": time.Now(), "queues": queue.Names()})
	if err != nil {
		ch <- prometheus.NewInvalidMetric(queueDepth, err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var name, state string
		var jobs int64
		var age float64
		if err := rows.Scan(&name, &state, &jobs, &age); err != nil {
			ch <- prometheus.NewInvalidMetric(queueDepth, err)
			return
		}
		ch <- prometheus.MustNewConstMetric(queueDepth, prometheus.GaugeValue, float64(jobs), name, state)
		if state == "available" {
			ch <- prometheus.MustNewConstMetric(queueAge, prometheus.GaugeValue, max(age, 0), name)
		}
	}
}
