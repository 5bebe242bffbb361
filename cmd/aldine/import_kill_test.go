package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"aldine/customers"
	"aldine/internal/pgtest"
)

// importRows is a file with rows that name earlier ones, rows that cannot be read and customers who share an e-mail.
func importRows(n int) string {
	var text strings.Builder
	text.WriteString("external_id,first_name,last_name,email,street,city,postal_code,country,email_consent\n")
	for i := range n {
		switch {
		case i%997 == 0:
			text.WriteString("bad\n")
		case i%11 == 0:
			fmt.Fprintf(&text, ",First%d,Last%d,user%d@example.org,,,,,yes\n", i/2%500, i/2%300, i/2)
		default:
			fmt.Fprintf(&text, "C%d,First%d,Last%d,user%d@example.org,%d Main St,Berlin,%05d,DE,\n", i*7%(n*9/10), i%500, i%300, i, i%900, 10000+i%500)
		}
	}
	return text.String()
}

// openTestApp gives the services on a database of their own.
func openTestApp(ctx context.Context, t *testing.T) (*app, *config) {
	t.Helper()
	cfg := &config{Data: t.TempDir(), DatabaseURL: pgtest.NewURL(t), Connections: 8, LogLevel: "error", LogFormat: "text"}
	a, err := openApp(ctx, cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	return a, cfg
}

// imported gives all that an import has made of customers, without the numbers and times that differ from run to run.
func imported(ctx context.Context, t *testing.T, a *app) string {
	t.Helper()
	var sum string
	if err := a.pool.QueryRow(ctx, `
		SELECT concat_ws(' ', (SELECT concat_ws('/', count(*), md5(string_agg(t::text, E'\n' ORDER BY t::text))) FROM (
				SELECT c.external_id, c.first_name, c.last_name, c.email, c.street, c.city, c.postal_code, c.country, c.address_hash,
					(SELECT array_agg(e.email) FROM customer_emails e WHERE e.customer_id = c.customer_id AND e.email = lower(c.email)) AS looked_up,
					(SELECT count(*) FROM customer_external_ids x WHERE x.external_id = c.external_id AND x.customer_id = c.customer_id) AS known,
					(SELECT count(*) FROM list_members m WHERE m.customer_id = c.customer_id) AS lists,
					(SELECT array_agg(channel || granted) FROM consents s WHERE s.customer_id = c.customer_id) AS consents
				FROM customers c) t),
			(SELECT count(*) FROM customer_emails), (SELECT count(*) FROM customer_external_ids), (SELECT count(*) FROM customer_identities),
			(SELECT count(*) FROM consent_events), (SELECT count(*) FROM import_rejects))`).Scan(&sum); err != nil {
		t.Fatal(err)
	}
	return sum
}

// An import whose process is killed at random moments, and whose database connections break, ends as one that nothing disturbed.
func TestKilledImportLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	const rows = 90_000
	ctx := context.Background()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	text := importRows(rows)

	calm, _ := openTestApp(ctx, t)
	want, err := calm.customers.StartImport(ctx, customers.StartImport{Kind: "customers", FileName: "in.csv", List: "L", Body: strings.NewReader(text), Hold: true})
	if err != nil {
		t.Fatal(err)
	}
	if want, err = calm.customers.RunImport(ctx, want.ID); err != nil {
		t.Fatal(err)
	}

	a, cfg := openTestApp(ctx, t)
	imp, err := a.customers.StartImport(ctx, customers.StartImport{Kind: "customers", FileName: "in.csv", List: "L", Body: io.Reader(strings.NewReader(text))})
	if err != nil {
		t.Fatal(err)
	}
	read := func() customers.Import {
		now, err := a.customers.Import(ctx, imp.ID)
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	kills := 0
	for kills < 4 && read().State != customers.ImportFinished {
		process, _ := startServer(t, "--data", cfg.Data, "--database-url", cfg.DatabaseURL, "--log-level", "error")
		before := read().Rows
		await(t, "rows before the kill", 60*time.Second, func() bool { return read().Rows > before || read().State == customers.ImportFinished })
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
		if kills == 1 { // every connection of the server breaks, as when PostgreSQL is restarted; the job is tried again
			if _, err := a.pool.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
		}
		if err := process.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = process.Wait()
		kills++
	}
	t.Logf("%d kills, the last after %d rows", kills, read().Rows)
	startServer(t, "--data", cfg.Data, "--database-url", cfg.DatabaseURL, "--log-level", "error")
	await(t, "the end of the import", 120*time.Second, func() bool { return read().State == customers.ImportFinished })
	if kills < 2 {
		t.Errorf("killed only %d times", kills)
	}
	got := read()
	if got.Created != want.Created || got.Updated != want.Updated || got.Unchanged != want.Unchanged || got.Duplicates != want.Duplicates ||
		got.Rejected != want.Rejected || got.Rows != want.Rows {
		t.Errorf("killed: %+v\nundisturbed: %+v", got, want)
	}
	if want, got := imported(ctx, t, calm), imported(ctx, t, a); want != got {
		t.Errorf("undisturbed %s, killed %s", want, got)
	}
}
