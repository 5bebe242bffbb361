package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"aldine/api"
	"aldine/delivery/inbound"
	"aldine/demo"
	"aldine/internal/access"
	"aldine/web"
)

type serveCmd struct {
	Listen  string `env:"ALDINE_LISTEN" default:"127.0.0.1:8080" help:"Address to listen on; with port 0 a free one is taken."`
	Demo    bool   `env:"ALDINE_DEMO" help:"Load a demonstration company into an empty database first."`
	NoWork  bool   `name:"no-work" env:"ALDINE_NO_WORK" help:"Leave the jobs to other processes (aldine work)."`
	DemoFor int    `name:"demo-customers" default:"20000" help:"Size of the demonstration."`
}

// Run serves until the context ends.
func (c *serveCmd) Run(ctx context.Context, cfg *config, std streams) error {
	// The port first: a second server on it should fail at once, not after a minute of preparation.
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("can't listen on %s: %w (another server may be running; choose another address with --listen)", c.Listen, err)
	}
	defer listener.Close()
	clock := demo.NewClock()
	a, err := openApp(ctx, cfg, cfg.logger(std.err), clock.Now)
	if err != nil {
		return err
	}
	defer a.close()
	base := "http://" + listener.Addr().String()
	public := cfg.PublicURL
	if public == "" {
		public = base
	}
	if err := a.openDelivery(public); err != nil {
		return err
	}
	password, err := a.access.EnsureAdmin(access.With(ctx, access.System))
	if err != nil {
		return err
	}
	server, err := a.newServer(public)
	if err != nil {
		return err
	}
	if cfg.InboundListen != "" {
		mails, err := a.inbound.Listen(cfg.InboundListen, cfg.certificate, inbound.Limits{})
		if err != nil {
			return fmt.Errorf("can't take in mail at %s: %w (choose another address with --inbound-listen)", cfg.InboundListen, err)
		}
		defer func() {
			soft, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := mails.Close(soft); err != nil {
				a.log.Warn("some mails were cut off; their servers will send them again", "error", err)
			}
		}()
		fmt.Fprintf(std.out, "Mail to %s is taken in at %s\n", cfg.BounceDomain, mails.Addr())
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	defer func() {
		soft, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Shutdown(soft); err != nil {
			a.log.Warn("some requests were cut off", "error", err)
		}
	}()
	if !c.NoWork {
		stop, err := a.startWorkers(ctx)
		if err != nil {
			return err
		}
		defer stop()
	}
	welcome := func() {
		fmt.Fprintf(std.out, "Aldine %s is at %s\n", version, base)
		if password != "" {
			fmt.Fprintf(std.out, "Sign in as %s with the one-time password %s\n", access.AdminEmail, password)
		}
	}
	welcome()
	if c.Demo {
		loaded, err := a.loadDemo(ctx, clock, base, c.DemoFor, std)
		if err != nil {
			return fmt.Errorf("demonstration: %w", err)
		}
		if loaded {
			welcome() // again: the lines of the loading have pushed it away
		}
	}
	fmt.Fprintln(std.out, "Ready. Stop with Ctrl-C.")
	select {
	case <-ctx.Done():
		fmt.Fprintln(std.out, "Stopping.")
		return nil
	case err := <-done:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	}
}

// newServer joins pages, REST, tracked links and health under one address.
func (a *app) newServer(public string) (*http.Server, error) {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	pages, err := web.New(web.Deps{Pool: a.pool, Access: a.access, Settings: a.settings, Jobs: a.jobs, Customers: a.customers, MergePurge: a.mergePurge, Duplicates: a.duplicates,
		Segments: a.segments, Insights: a.insights, Campaigns: a.campaigns, Delivery: a.delivery, Inbound: a.inbound, Reports: a.reports, Tracking: a.tracking,
		DataDir: a.cfg.Data, BaseURL: public, Version: version, Now: a.now, Log: a.log})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, pages.Close)
	api.New(api.Deps{Pool: a.pool, Access: a.access, Settings: a.settings, Customers: a.customers, MergePurge: a.mergePurge, Duplicates: a.duplicates, Segments: a.segments, Insights: a.insights, Tracking: a.tracking,
		Campaigns: a.campaigns, Delivery: a.delivery, Inbound: a.inbound, Reports: a.reports, Now: a.now, Log: a.log, Version: version}).Register(e)
	pages.Register(e)
	e.Any("/t/*", echo.WrapHandler(a.tracking.Handler()))
	a.registerHealth(e)
	return &http.Server{Handler: hitsFirst(a.tracking.Handler(), patient(e, readTimeout)), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: readTimeout, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn)}, nil
}

// hitsFirst answers clicks and pixels before all else, which shortens the way of the very most requests.
func hitsFirst(tracked, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/t/c/") || strings.HasPrefix(r.URL.Path, "/t/o/") {
			tracked.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

type workCmd struct{}

// Run works the queue until the context ends.
func (workCmd) Run(ctx context.Context, cfg *config, std streams) error {
	if cfg.PublicURL == "" {
		cfg.PublicURL = "http://127.0.0.1:8080"
	}
	a, err := openApp(ctx, cfg, cfg.logger(std.err), time.Now)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.openDelivery(cfg.PublicURL); err != nil {
		return err
	}
	stop, err := a.startWorkers(ctx)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprintln(std.out, "Working. Stop with Ctrl-C.")
	<-ctx.Done()
	fmt.Fprintln(std.out, "Stopping.")
	return nil
}
