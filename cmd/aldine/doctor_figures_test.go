package main

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// Figures that were damaged are named by the doctor, and mended as it says; rows that were lost are told from them.
func TestDoctorComparesFigures(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	if last := s.ok("doctor", "--figures"); !strings.Contains(last, "no campaign was launched yet") {
		t.Errorf("without campaigns: %s", last)
	}
	ctx := context.Background()
	cfg := &config{Data: s.args[1], DatabaseURL: s.args[3], Connections: 4, LogLevel: "error", LogFormat: "text"}
	a, err := openApp(ctx, cfg, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	launchMailing(ctx, t, a, 40)
	if err := a.workUntilIdle(ctx); err != nil {
		t.Fatal(err)
	}
	s.ok("campaign", "recount", "--all")
	agrees := func(flags ...string) {
		t.Helper()
		if last := s.ok(append([]string{"doctor", "--figures"}, flags...)...); !strings.HasPrefix(last, "ok  figures of news") {
			t.Errorf("%v: %s", flags, last)
		}
	}
	differs := func(mend string, flags ...string) {
		t.Helper()
		if status, out, _ := s.run(append([]string{"doctor", "--figures"}, flags...)...); status != 1 || !strings.Contains(out, "BAD figures of news") || !strings.Contains(out, mend) {
			t.Errorf("%v: %d\n%s", flags, status, out)
		}
	}
	agrees()
	agrees("--all")
	for _, damage := range []string{
		`UPDATE rollup_totals SET quantity = quantity + 1 WHERE item = ''`,
		`DELETE FROM rollup_totals`,
		`UPDATE rollup_lines SET quantity = quantity - 1 WHERE quantity > 0; UPDATE rollup_totals SET quantity = quantity - 1 WHERE quantity > 0`,
	} {
		if _, err := a.pool.Exec(ctx, damage); err != nil {
			t.Fatal(err)
		}
		differs("aldine campaign recount news")
		differs("aldine campaign recount news", "--all")
		s.ok("campaign", "recount", "news")
		agrees()
		agrees("--all")
	}
	if _, err := a.pool.Exec(ctx, `DELETE FROM cost_entries WHERE kind = 'piece'`); err != nil {
		t.Fatal(err)
	}
	s.ok("campaign", "recount", "news")
	differs("rows were lost or changed by hand", "--all")
	s.fails(1, []string{"name one campaign, or use --all"}, "campaign", "recount")
}

func TestReclassifyAtTheShell(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	if last := s.ok("tracking", "reclassify", "--every"); last != "0 hits judged by rules of version 1, 0 of them otherwise than before." {
		t.Error(last)
	}
	s.fails(1, []string{"No run is under way"}, "tracking", "reclassify", "--follow")
	s.fails(1, []string{"No run is under way"}, "tracking", "reclassify", "--cancel")
	s.fails(1, []string{"no other option"}, "tracking", "reclassify", "--cancel", "--every")
	s.fails(1, []string{"no campaign"}, "tracking", "reclassify", "--campaign", "none")
}
