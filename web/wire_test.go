package web_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"aldine/campaigns"
	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/customers/mergepurge"
	"aldine/delivery"
	"aldine/delivery/inbound"
	"aldine/delivery/sandbox"
	"aldine/insights"
	"aldine/internal/queue"
	"aldine/reports"
	"aldine/segments"
	"aldine/tracking"
	"aldine/web"
)

// wire makes the services that the pages stand on, with the sandbox for the outside world.
func wire(t *testing.T, d *web.Deps) {
	t.Helper()
	d.DataDir = t.TempDir()
	quiet := slog.New(slog.DiscardHandler)
	signer := tracking.NewSigner([]byte("0123456789abcdef0123456789abcdef"))
	d.Customers = customers.New(customers.Deps{Pool: d.Pool, Jobs: d.Jobs, Settings: d.Settings, DataDir: d.DataDir, Now: d.Now, Log: quiet})
	d.Segments = segments.New(d.Pool, d.Now)
	d.Insights = insights.New(d.Pool, d.Segments, d.Settings, d.Now)
	compile := func(ctx context.Context, expression, prefix string, first, last int64) (mergepurge.Selection, error) {
		compiled, err := d.Segments.Compile(ctx, expression, d.Now())
		if err != nil {
			return mergepurge.Selection{}, err
		}
		where, args := compiled.WhereSlice("c", prefix, first, last)
		return mergepurge.Selection{Where: where, Args: args, Ranked: compiled.Ranks()}, nil
	}
	d.MergePurge = mergepurge.New(mergepurge.Deps{Pool: d.Pool, Jobs: d.Jobs, Settings: d.Settings, Customers: d.Customers, Audience: compile, Veil: d.Segments.Veil, DataDir: d.DataDir, Now: d.Now, Log: quiet})
	d.Duplicates = duplicates.New(duplicates.Deps{Pool: d.Pool, Jobs: d.Jobs, Customers: d.Customers, DataDir: d.DataDir, Now: d.Now, Log: quiet})
	d.Campaigns = campaigns.New(campaigns.Deps{Pool: d.Pool, Jobs: d.Jobs, Settings: d.Settings, Customers: d.Customers, Segments: d.Segments, Now: d.Now, Log: quiet})
	d.Tracking = tracking.New(tracking.Deps{Pool: d.Pool, Jobs: d.Jobs, Settings: d.Settings, Customers: d.Customers, Signer: signer, Now: d.Now,
		Log: quiet, Expand: d.Campaigns.ExpandLink})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		must(t, d.Tracking.Close(ctx))
	})
	d.Reports = reports.New(d.Pool, d.Settings, d.Now)
	box, err := sandbox.Start(d.Pool, d.Now, quiet)
	must(t, err)
	t.Cleanup(func() { box.Close() })
	d.Delivery, err = delivery.New(delivery.Deps{Pool: d.Pool, Jobs: d.Jobs, Settings: d.Settings, Templates: d.Campaigns.Templates(),
		Tracking: d.Tracking, Now: d.Now, Log: quiet},
		delivery.Config{DataDir: d.DataDir, SMTPURL: box.SMTPURL(), SMSURL: box.SMSURL(), SMSToken: box.Token(), PublicURL: "http://localhost", Signer: signer})
	must(t, err)
	t.Cleanup(d.Delivery.Close)
	d.Inbound = inbound.New(inbound.Deps{Pool: d.Pool, Settings: d.Settings, Tracking: d.Tracking, Signer: signer, Domain: "bounces.shop.example", Now: d.Now, Log: quiet})
}

// work runs the queue until nothing is left to do.
func (s *site) work() {
	s.t.Helper()
	workers := river.NewWorkers()
	s.deps.Customers.Register(workers)
	s.deps.MergePurge.Register(workers)
	s.deps.Duplicates.Register(workers)
	s.deps.Tracking.Register(workers)
	s.deps.Campaigns.Register(workers, s.deps.Delivery)
	s.deps.Delivery.Register(workers)
	client, err := queue.NewWorking(s.pool, workers, "test", slog.New(slog.DiscardHandler))
	must(s.t, err)
	must(s.t, client.Start(context.Background()))
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := client.Stop(ctx); err != nil {
			s.t.Error(err)
		}
	}()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		idle, err := queue.Idle(s.t.Context(), s.pool, time.Now().Add(5*time.Second))
		must(s.t, err)
		if idle {
			return
		}
	}
	s.t.Fatal("the queue does not come to rest")
}
