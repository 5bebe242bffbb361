package customers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/fault"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/internal/testdata"
)

// bench is a service on a database of its own, with a clock that stands still.
type bench struct {
	*Service
	t    testing.TB
	ctx  context.Context
	pool *pgxpool.Pool
	at   time.Time
}

func setup(t testing.TB) *bench {
	t.Helper()
	pool := pgtest.New(t)
	b := &bench{t: t, ctx: t.Context(), pool: pool, at: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return b.at }
	jobs, err := queue.NewInserter(pool)
	if err != nil {
		t.Fatal(err)
	}
	b.Service = New(Deps{Pool: pool, Jobs: jobs, Settings: settings.New(pool, now), DataDir: t.TempDir(), Now: now})
	return b
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// wants fails unless err has the kind and the message says what is expected.
func (b *bench) wants(err error, kind fault.Kind, message string) {
	b.t.Helper()
	if !fault.Is(err, kind) || !bytes.Contains([]byte(err.Error()), []byte(message)) {
		b.t.Errorf("error %v, want kind %d with %q", err, kind, message)
	}
}

// load imports text to its end.
func (b *bench) load(kind, list, text string) Import {
	b.t.Helper()
	imp, err := b.start(kind, list, text)
	b.ok(err)
	imp, err = b.RunImport(b.ctx, imp.ID)
	b.ok(err)
	if imp.State != ImportFinished || imp.Rows != imp.Created+imp.Updated+imp.Unchanged+imp.Duplicates+imp.Rejected || imp.BytesDone != imp.FileSize {
		b.t.Errorf("the import does not add up: %+v", imp)
	}
	return imp
}

func (b *bench) start(kind, list, text string) (Import, error) {
	return b.StartImport(b.ctx, StartImport{Kind: kind, FileName: "test.csv", List: list, Body: bytes.NewBufferString(text), Hold: true})
}

// loadFile imports one of the public data sets.
func (b *bench) loadFile(kind, list, name string) Import {
	b.t.Helper()
	data, err := os.ReadFile(testdata.Path(b.t, name))
	b.ok(err)
	return b.load(kind, list, string(data))
}

// figures gives created/updated/unchanged/duplicates/rejected.
func figures(i Import) string {
	return fmt.Sprintf("%d/%d/%d/%d/%d", i.Created, i.Updated, i.Unchanged, i.Duplicates, i.Rejected)
}

func (b *bench) count(sql string, args ...any) int64 {
	b.t.Helper()
	var n int64
	b.ok(b.pool.QueryRow(b.ctx, sql, args...).Scan(&n))
	return n
}

// dump gives everything the import writes, to compare two states of the database.
func (b *bench) dump() string {
	b.t.Helper()
	var out bytes.Buffer
	for _, table := range []string{"customers", "customer_external_ids", "customer_emails", "customer_phones", "customer_identities", "list_members",
		"orders", "order_refs", "order_lines", "consents", "consent_events"} {
		rows, err := b.pool.Query(b.ctx, `SELECT to_jsonb(t)::text FROM `+table+` t ORDER BY 1`)
		b.ok(err)
		for rows.Next() {
			var s string
			b.ok(rows.Scan(&s))
			_, err := io.WriteString(&out, table+" "+s+"\n")
			b.ok(err)
		}
		b.ok(rows.Err())
	}
	return out.String()
}

func (b *bench) byExternal(id string) Customer {
	b.t.Helper()
	found, err := externalIDs(b.ctx, b.pool, []string{id})
	b.ok(err)
	c, err := b.Get(b.ctx, found[id])
	b.ok(err)
	return c
}
