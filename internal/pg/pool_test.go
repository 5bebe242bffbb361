package pg_test

import (
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/internal/pg"
	"aldine/internal/pgtest"
)

func TestOpenSession(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewEmpty(t)
	var name, zone string
	err := pool.QueryRow(t.Context(), `SELECT current_setting('application_name'), current_setting('timezone')`).Scan(&name, &zone)
	if err != nil || name != "aldine" || zone != "UTC" {
		t.Fatalf("application %q, zone %q, %v", name, zone, err)
	}
	var at time.Time
	var all []time.Time
	err = pool.QueryRow(t.Context(), `SELECT timestamptz '2026-06-01 12:00+02', array[timestamptz '2026-06-01 12:00+02']`).Scan(&at, &all)
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	if at != want || len(all) != 1 || all[0] != want {
		t.Errorf("got %v and %v, want %v", at, all, want)
	}
}

func TestDecimalsPassUnchanged(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewEmpty(t)
	if _, err := pool.Exec(t.Context(), `CREATE TABLE m (amount numeric(19,4))`); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"0.0000", "-12.3400", "999999999999999.9999"} {
		want := decimal.MustParse(s)
		var got decimal.Decimal
		err := pool.QueryRow(t.Context(), `INSERT INTO m (amount) VALUES ($1) RETURNING amount`, want).Scan(&got)
		if err != nil || got.Cmp(want) != 0 {
			t.Errorf("%s came back as %s, %v", want, got, err)
		}
	}
	var missing decimal.NullDecimal
	if err := pool.QueryRow(t.Context(), `SELECT sum(amount) FROM m WHERE false`).Scan(&missing); err != nil || missing.Valid {
		t.Errorf("null came back as %v, %v", missing, err)
	}
}

func TestDecimalsAreReadTidily(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewEmpty(t)
	for given, want := range map[string]string{
		"12.5000": "12.50", "12": "12.00", "0.0125": "0.0125", "0": "0.00", "-7.10000000": "-7.10", "1.08250000": "1.0825",
		"999999999999999.9999": "999999999999999.9999",
	} {
		var plain decimal.Decimal
		var pointed *decimal.Decimal
		var list []decimal.Decimal
		if err := pool.QueryRow(t.Context(), `SELECT $1::text::numeric, $1::text::numeric, ARRAY[$1::text::numeric]`, given).Scan(&plain, &pointed, &list); err != nil {
			t.Fatal(err)
		}
		if plain.String() != want || pointed.String() != want || list[0].String() != want {
			t.Errorf("%s was read as %s, %s, %s; want %s", given, plain, pointed, list[0], want)
		}
	}
	var none *decimal.Decimal
	if err := pool.QueryRow(t.Context(), `SELECT NULL::numeric`).Scan(&none); err != nil || none != nil {
		t.Errorf("null was read as %v, %v", none, err)
	}
	var never decimal.Decimal
	if err := pool.QueryRow(t.Context(), `SELECT NULL::numeric`).Scan(&never); err == nil {
		t.Error("null was read into a decimal that cannot be null")
	}
}

func TestPoolLimits(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	for _, c := range []struct {
		url  string
		opts []pg.Option
		want int32
	}{
		{url + "&pool_max_conns=5", nil, 5},
		{url + "&pool_max_conns=5", []pg.Option{pg.MaxConns(3)}, 3},
	} {
		pool, err := pg.Open(t.Context(), c.url, c.opts...)
		if err != nil {
			t.Fatal(err)
		}
		if got := pool.Stat().MaxConns(); got != c.want {
			t.Errorf("%d connections, want %d", got, c.want)
		}
		pool.Close()
	}
}

func TestOpenFailsWithoutPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://me:geheim@127.0.0.1:1/x?connect_timeout=1",
		"postgres://me:geheim@127.0.0.1:nonsense/x",
	} {
		_, err := pg.Open(t.Context(), url)
		if err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("error for a bad address: %v", err)
		}
	}
}

func TestDecimalsOfAllSizes(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rows, err := pool.Query(t.Context(), `
		SELECT v, v::text FROM (
			SELECT (sign * digits::numeric / (10::numeric ^ scale))::numeric(38,16) AS v FROM
				unnest(ARRAY[1, -1]) AS sign, unnest(ARRAY[0, 1, 9, 10, 99, 100, 9999, 10000, 10001, 99999999, 100000000, 123456789012, 9999999999999999, 10000000000000000, 999999999999999999]) AS digits,
				generate_series(0, 12) AS scale
			UNION ALL SELECT trunc(v, 4) FROM unnest(ARRAY[0.0001, 0.00001, 1234.5678, 12345678.9, 100000000.0001, -0.0100]) AS v
			UNION ALL SELECT v::numeric(19,4) FROM unnest(ARRAY[0, 12.5, 0.0125, 999999999999999.9999, -7]) AS v
			UNION ALL SELECT v::bigint::numeric FROM unnest(ARRAY[0, 5, 10000, 100000000, -20]) AS v) AS x`)
	if err != nil {
		t.Fatal(err)
	}
	var got decimal.Decimal
	var text string
	n := 0
	if _, err := pgx.ForEachRow(rows, []any{&got, &text}, func() error {
		n++
		if want := decimal.MustParse(text); got.Cmp(want) != 0 || got.String() != want.Trim(2).Pad(2).String() {
			t.Errorf("%s was read as %s", text, got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n < 300 {
		t.Errorf("%d numbers", n)
	}
}
