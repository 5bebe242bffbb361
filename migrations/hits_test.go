package migrations_test

import (
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"aldine/internal/pg"
	"aldine/internal/pgtest"
)

// TestResponsesMoveIntoMonths brings responses of an older installation into months, and back.
func TestResponsesMoveIntoMonths(t *testing.T) {
	t.Parallel()
	ctx, empty := t.Context(), pgtest.NewEmpty(t)
	pool, err := pg.Open(ctx, pgtest.URL(empty), pg.MaxConns(2))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(ctx, 14); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(ctx, `
		INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, channel, method, machine, detail)
		SELECT n % 7, gen_random_uuid(), (ARRAY['click', 'open', 'reply', 'order'])[n % 4 + 1], now() - n * interval '5 days', now(), nullif(n % 3, 0), 'email', 'token', n % 5 = 0, '{"network": "x"}'::jsonb
		FROM generate_series(1, 300) n
		UNION ALL SELECT 1, gen_random_uuid(), 'reply', timestamptz '1970-01-01', now(), NULL, NULL, 'direct', false, '{}'
		UNION ALL SELECT 1, gen_random_uuid(), 'reply', timestamptz '2300-01-01', now(), NULL, NULL, 'direct', false, '{}'`); err != nil {
		t.Fatal(err)
	}
	text := func(query string) string {
		t.Helper()
		var s string
		if err := pool.QueryRow(ctx, query).Scan(&s); err != nil {
			t.Fatal(query, err)
		}
		return s
	}
	const rows = `SELECT md5(string_agg(r::text, ',' ORDER BY r.response_id)) FROM (SELECT customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, cell_id,
		channel, keycode, link_id, order_ref, method, machine, detail FROM responses) r`
	before := text(rows)
	if _, err := provider.UpTo(ctx, 15); err != nil {
		t.Fatal(err)
	}
	if text(rows) != before {
		t.Error("responses are others now")
	}
	for query, want := range map[string]string{
		`SELECT count(DISTINCT tableoid) > 45 FROM responses`: "true", // 1,500 days
		`SELECT bool_and(tableoid::regclass::text = 'responses_' || to_char(at, 'YYYY_MM')) FROM responses WHERE at BETWEEN now() - interval '1400 days' AND now()`: "true",
		`SELECT string_agg(tableoid::regclass::text, ' ' ORDER BY at) FROM responses WHERE at IN ('1970-01-01', '2300-01-01')`:                                      "responses_past responses_default",
	} {
		if got := text(`SELECT (` + query + `)::text`); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
	plan := ""
	found, err := pool.Query(ctx, `EXPLAIN SELECT count(*) FROM responses WHERE at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'`)
	if err != nil {
		t.Fatal(err)
	}
	for found.Next() {
		var line string
		if err := found.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan += line + "\n"
	}
	if strings.Contains(plan, "responses_past") {
		t.Error("all months are read:\n" + plan)
	}
	if _, err := pool.Exec(ctx, `INSERT INTO hit_journal (journal_id, at, hits) VALUES (gen_random_uuid(), now(), '')`); err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(ctx, 14); err == nil || !strings.Contains(err.Error(), "wait in hit_journal") || text(rows) != before {
		t.Error("back over hits that were acknowledged:", err)
	}
	if _, err := pool.Exec(ctx, `DELETE FROM hit_journal`); err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(ctx, 14); err != nil {
		t.Fatal(err)
	}
	if text(rows) != before {
		t.Error("back: responses are others now")
	}
	if _, err := provider.UpTo(ctx, 15); err != nil {
		t.Fatal("once more:", err)
	}
}
