package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sort"
	"time"

	"aldine/demo"
	"aldine/internal/access"
)

type demoCmd struct {
	Once      bool   `help:"Run one campaign and end. Without it, see: aldine serve --demo."`
	JSON      bool   `name:"json" help:"Print one JSON object."`
	Customers int    `default:"20000" help:"Number of customers."`
	Seed      uint64 `default:"1498" help:"Seed of the generator."`
}

// Run runs the main job without a screen, in a temporary folder that goes away. It fails unless the figures reconcile.
func (c *demoCmd) Run(ctx context.Context, cfg *config, std streams) error {
	if !c.Once {
		return errors.New("say aldine demo --once for one campaign without a screen, or aldine serve --demo for a system to look at")
	}
	if c.Customers < 100 || c.Customers > 5_000_000 {
		return fmt.Errorf("--customers: %d is not between 100 and 5,000,000", c.Customers)
	}
	dir, err := os.MkdirTemp("", "aldine-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // the private database may run as another user
		return err
	}
	here := *cfg
	here.Data, here.DatabaseURL, here.SMTPURL, here.SMSURL, here.SMSToken = dir, "", "", "", "" // nothing leaves, nothing stays
	summary, err := c.run(ctx, &here, std)
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(std.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(summary); err != nil {
			return err
		}
	} else {
		printSummary(std, summary)
	}
	if len(summary.Problems) > 0 {
		return fmt.Errorf("the figures do not reconcile: %v", summary.Problems)
	}
	return nil
}

func (c *demoCmd) run(ctx context.Context, cfg *config, std streams) (demo.Summary, error) {
	clock := demo.NewClock()
	a, err := openApp(ctx, cfg, cfg.logger(std.err), clock.Now)
	if err != nil {
		return demo.Summary{}, err
	}
	defer a.close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return demo.Summary{}, err
	}
	base := "http://" + listener.Addr().String()
	if err := a.openDelivery(base); err != nil {
		return demo.Summary{}, err
	}
	server, err := a.newServer(base)
	if err != nil {
		return demo.Summary{}, err
	}
	go server.Serve(listener) //nolint:errcheck // ends with Close
	defer server.Close()
	stop, err := a.startWorkers(ctx)
	if err != nil {
		return demo.Summary{}, err
	}
	defer stop()
	return demo.New(a.demoServices(clock, base, std), c.Seed).Once(access.With(ctx, access.System), c.Customers)
}

// loadDemo fills an empty database with the demonstration, and tells whether it did.
func (a *app) loadDemo(ctx context.Context, clock *demo.Clock, base string, customers int, std streams) (bool, error) {
	state, err := demo.Look(ctx, a.pool)
	switch {
	case err != nil || state == demo.InUse:
		return false, err
	case state == demo.Interrupted:
		fmt.Fprintf(std.out, "The demonstration was interrupted while it was loading. To load it anew, stop and remove %s.\n", a.cfg.Data)
		return false, nil
	}
	fmt.Fprintln(std.out, "Loading the demonstration, about a minute:")
	begun := time.Now()
	s := a.demoServices(clock, base, std)
	s.Say = func(format string, args ...any) { fmt.Fprintf(std.out, "  "+format+"\n", args...) }
	if err := demo.New(s, 1498).Load(access.With(ctx, access.System), customers); err != nil {
		return false, err
	}
	fmt.Fprintf(std.out, "The demonstration is loaded (%.0f s).\n", time.Since(begun).Seconds())
	return true, nil
}

func (a *app) demoServices(clock *demo.Clock, base string, std streams) demo.Services {
	return demo.Services{
		Pool: a.pool, Settings: a.settings, Customers: a.customers, Segments: a.segments, Campaigns: a.campaigns, Tracking: a.tracking,
		Delivery: a.delivery, Reports: a.reports, Clock: clock, BaseURL: base,
		Say: func(format string, args ...any) { fmt.Fprintf(std.err, format+"\n", args...) },
	}
}

func printSummary(std streams, s demo.Summary) {
	t := newTable(std.out, "FIGURE", "VALUE")
	t.row("customers", s.Customers)
	t.row("segment", s.SegmentSize)
	t.row("planned", s.Planned)
	counts := func(name string, m map[string]int64) {
		keys := make([]string, 0, len(m))
		for k := range m {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			t.row(name+" "+k, m[k])
		}
	}
	counts("excluded", s.Excluded)
	counts("sent", s.Sent)
	t.row("unconfirmed", s.Unconfirmed)
	counts("responses", s.Responses)
	t.row("orders", s.Orders)
	t.row("revenue", "USD "+s.Revenue.String())
	t.row("cost", "USD "+s.Cost.String())
	if s.ROI != nil {
		t.row("ROI", fmt.Sprintf("%.1f %%", *s.ROI*100))
	}
	t.row("seconds", s.Seconds)
	_ = t.flush()
}
