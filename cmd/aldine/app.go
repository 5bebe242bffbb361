package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"aldine/campaigns"
	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/customers/mergepurge"
	"aldine/delivery"
	"aldine/delivery/inbound"
	"aldine/delivery/sandbox"
	"aldine/insights"
	"aldine/internal/access"
	"aldine/internal/pg"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/migrations"
	"aldine/reports"
	"aldine/segments"
	"aldine/tracking"
)

// app is the running whole: the database and every package's service on it.
type app struct {
	cfg     *config
	now     func() time.Time
	log     *slog.Logger
	metrics *prometheus.Registry

	cluster *pg.Cluster // nil where a database URL is given
	pool    *pgxpool.Pool
	jobs    *queue.Client // inserts only
	signer  *tracking.Signer

	settings   *settings.Store
	access     *access.Service
	customers  *customers.Service
	mergePurge *mergepurge.Service
	duplicates *duplicates.Service
	segments   *segments.Service
	insights   *insights.Service
	tracking   *tracking.Service
	campaigns  *campaigns.Service
	delivery   *delivery.Service
	inbound    *inbound.Service
	reports    *reports.Service

	closers []func()
}

// openDatabase opens the configured database or the private one, and brings its schema up to date.
func (a *app) openDatabase(ctx context.Context) error {
	url := a.cfg.DatabaseURL
	if url == "" {
		if err := os.MkdirAll(a.cfg.Data, 0o755); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		cluster, err := pg.StartCluster(ctx, a.cfg.Data, pg.Options{})
		if err != nil {
			return err
		}
		a.cluster = cluster
		a.closers = append(a.closers, func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := cluster.Stop(ctx); err != nil {
				a.log.Error("the private database did not stop", "error", err)
			}
		})
		url = cluster.URL(pg.Database)
	}
	pool, err := pg.Open(ctx, url)
	if err != nil {
		return err
	}
	a.pool = pool
	a.closers = append(a.closers, pool.Close)
	return migrations.Up(ctx, pool)
}

// openApp opens the database and makes the services that need nothing of the outside world. Close it.
func openApp(ctx context.Context, cfg *config, log *slog.Logger, now func() time.Time) (_ *app, err error) {
	a := &app{cfg: cfg, now: now, log: log, metrics: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if err := a.openDatabase(ctx); err != nil {
		return nil, err
	}
	if a.jobs, err = queue.NewInserter(a.pool); err != nil {
		return nil, err
	}
	key, err := signingKey(ctx, a.pool, cfg.SecretKey, now())
	if err != nil {
		return nil, err
	}
	a.signer = tracking.NewSigner(key)
	a.settings = settings.New(a.pool, now)
	a.access = access.New(a.pool, now)
	a.customers = customers.New(customers.Deps{Pool: a.pool, Jobs: a.jobs, Settings: a.settings, Secret: key, DataDir: cfg.Data, Now: now, Log: log})
	a.segments = segments.New(a.pool, now)
	a.insights = insights.New(a.pool, a.segments, a.settings, now)
	a.mergePurge = mergepurge.New(mergepurge.Deps{Pool: a.pool, Jobs: a.jobs, Settings: a.settings, Customers: a.customers, Audience: a.audience, Veil: a.segments.Veil,
		DataDir: cfg.Data, Now: now, Log: log})
	a.duplicates = duplicates.New(duplicates.Deps{Pool: a.pool, Jobs: a.jobs, Customers: a.customers, DataDir: cfg.Data, Now: now, Log: log})
	a.customers.SearchAfterImport(a.duplicates.StartTx)
	a.campaigns = campaigns.New(campaigns.Deps{Pool: a.pool, Jobs: a.jobs, Settings: a.settings, Customers: a.customers, Segments: a.segments, Now: now, Log: log})
	a.tracking = tracking.New(tracking.Deps{Pool: a.pool, Jobs: a.jobs, Settings: a.settings, Customers: a.customers, Signer: a.signer, Now: now, Log: log,
		Registry: a.metrics, Expand: a.campaigns.ExpandLink})
	a.campaigns.SettleWith(a.tracking.SettleSoon)
	a.closers = append(a.closers, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := a.tracking.Close(ctx); err != nil {
			a.log.Error("some hits were not stored", "error", err)
		}
	})
	a.inbound = inbound.New(inbound.Deps{Pool: a.pool, Settings: a.settings, Tracking: a.tracking, Signer: a.signer, Domain: cfg.BounceDomain, Now: now, Log: log})
	a.reports = reports.New(a.pool, a.settings, now)
	return a, nil
}

// audience gives an expression as SQL, for merge/purge runs that take a part of the house file.
func (a *app) audience(ctx context.Context, expression, prefix string, first, last int64) (mergepurge.Selection, error) {
	compiled, err := a.segments.Compile(ctx, expression, a.now())
	if err != nil {
		return mergepurge.Selection{}, err
	}
	where, args := compiled.WhereSlice("c", prefix, first, last)
	return mergepurge.Selection{Where: where, Args: args, Ranked: compiled.Ranks()}, nil
}

// openDelivery makes the senders. publicURL is where customers reach the tracked links. What is not configured goes to
// the sandbox.
func (a *app) openDelivery(publicURL string) error {
	c := delivery.Config{DataDir: a.cfg.Data, SMTPURL: a.cfg.SMTPURL, SMSURL: a.cfg.SMSURL, SMSToken: a.cfg.SMSToken,
		PublicURL: publicURL, Signer: a.signer, EmailConnections: a.cfg.Connections,
		BounceDomain: a.cfg.BounceDomain, DKIM: a.cfg.signer}
	if c.SMTPURL == "" || c.SMSURL == "" {
		box, err := sandbox.Start(a.pool, a.now, a.log)
		if err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		a.closers = append(a.closers, func() { box.Close() })
		if c.SMTPURL == "" {
			c.SMTPURL = box.SMTPURL()
		}
		if c.SMSURL == "" {
			c.SMSURL, c.SMSToken = box.SMSURL(), box.Token()
		}
	}
	d, err := delivery.New(delivery.Deps{Pool: a.pool, Jobs: a.jobs, Settings: a.settings, Templates: a.campaigns.Templates(), Customers: a.customers,
		Tracking: a.tracking, Now: a.now, Log: a.log}, c)
	if err != nil {
		return err
	}
	a.delivery = d
	a.closers = append(a.closers, d.Close)
	return nil
}

// close ends everything in the reverse order of its beginning.
func (a *app) close() {
	for i := len(a.closers) - 1; i >= 0; i-- {
		a.closers[i]()
	}
	a.closers = nil
}

// withApp runs a command that needs the services and ends.
func withApp(ctx context.Context, cfg *config, std streams, do func(*app) error) error {
	a, err := openApp(ctx, cfg, cfg.logger(std.err), time.Now)
	if err != nil {
		return err
	}
	defer a.close()
	return do(a)
}

// startWorkers begins to work the queue, for which openDelivery comes first; the returned function stops it: jobs under way may finish for a while, then
// they are cut off, and go on in the next process.
func (a *app) startWorkers(ctx context.Context) (stop func(), err error) {
	workers := river.NewWorkers()
	a.customers.Register(workers)
	a.segments.Register(workers)
	a.insights.Register(workers)
	a.mergePurge.Register(workers)
	a.duplicates.Register(workers)
	a.tracking.Register(workers)
	a.campaigns.Register(workers, a.delivery)
	a.delivery.Register(workers)
	a.reports.Register(workers)
	a.inbound.Register(workers)
	host, _ := os.Hostname()
	node := fmt.Sprintf("%s-%d-%d", host, os.Getpid(), time.Now().UnixNano())
	client, err := queue.NewWorking(a.pool, workers, node, a.log, slices.Concat(a.campaigns.Periodic(), a.segments.Periodic(), a.insights.Periodic(), a.customers.Periodic(), a.mergePurge.Periodic(), a.reports.Periodic(), a.inbound.Periodic(), a.tracking.Periodic())...)
	if err != nil {
		return nil, err
	}
	nodes := queue.NewNodes(a.pool, node, a.log)
	beat, endBeat := context.WithCancel(context.WithoutCancel(ctx))
	if err := nodes.Start(beat); err != nil {
		endBeat()
		return nil, err
	}
	if err := a.customers.ResumeImports(ctx); err != nil { // those that a killed command left without a job
		endBeat()
		return nil, err
	}
	for _, resume := range []func(context.Context) error{a.mergePurge.Resume, a.duplicates.Resume, a.tracking.ResumeReclassification, a.customers.ResumeRecomputations, a.customers.ResumeAttributes} {
		if err := resume(ctx); err != nil {
			endBeat()
			return nil, err
		}
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		endBeat()
		return nil, err
	}
	return func() {
		defer func() {
			endBeat()
			leave, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := nodes.Leave(leave); err != nil {
				a.log.Warn("this node did not sign off", "error", err)
			}
		}()
		soft, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := client.Stop(soft); errors.Is(err, context.DeadlineExceeded) {
			hard, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := client.StopAndCancel(hard); err != nil {
				a.log.Error("the workers did not stop", "error", err)
			}
		}
	}, nil
}

// awaitIdle returns when no job is due within the horizon: jobs put off for longer are left for later.
func (a *app) awaitIdle(ctx context.Context, horizon time.Duration) error {
	for quiet := 0; quiet < 3; {
		idle, err := queue.Idle(ctx, a.pool, time.Now().Add(horizon))
		if err != nil {
			return err
		}
		quiet++
		if !idle {
			quiet = 0
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}
