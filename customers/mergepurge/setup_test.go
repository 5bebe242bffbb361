package mergepurge

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/customers"
	"aldine/internal/fault"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
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
	b.ok(err)
	set := settings.New(pool, now)
	dir := t.TempDir()
	people := customers.New(customers.Deps{Pool: pool, Jobs: jobs, Settings: set, DataDir: dir, Now: now})
	b.Service = New(Deps{Pool: pool, Jobs: jobs, Settings: set, Customers: people, DataDir: dir, Now: now, Audience: cities})
	return b
}

// cities stands for the segment language: "city:Bonn".
func cities(_ context.Context, expression, prefix string, _, _ int64) (Selection, error) {
	city, found := strings.CutPrefix(expression, "city:")
	if !found {
		return Selection{}, fault.BadField("expression", "not a city")
	}
	return Selection{Where: "c.city = @" + prefix + "1", Args: pgx.NamedArgs{prefix + "1": city}}, nil
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
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), message) {
		b.t.Errorf("error %v, want kind %d with %q", err, kind, message)
	}
}

// house imports customers.
func (b *bench) house(text string) {
	b.t.Helper()
	imp, err := b.customers.StartImport(b.ctx, customers.StartImport{Kind: "customers", FileName: "house.csv", Body: strings.NewReader(text), Hold: true})
	b.ok(err)
	_, err = b.customers.RunImport(b.ctx, imp.ID)
	b.ok(err)
}

func (b *bench) create(in NewRun) Run {
	b.t.Helper()
	if in.Name == "" {
		in.Name = "run"
	}
	run, err := b.Create(b.ctx, in)
	b.ok(err)
	return run
}

func (b *bench) add(run Run, kind, name, text string) Input {
	b.t.Helper()
	in := NewInput{Kind: kind, Name: name, FileName: name + ".csv"}
	if kind != House {
		in.Body = strings.NewReader(text)
	}
	input, err := b.AddInput(b.ctx, run.ID, in)
	b.ok(err)
	return input
}

// work starts a run and carries it to its end.
func (b *bench) work(run Run) Run {
	b.t.Helper()
	_, err := b.StartHeld(b.ctx, run.ID)
	b.ok(err)
	run, err = b.Work(b.ctx, run.ID)
	b.ok(err)
	if run.State != Finished || run.Report == nil {
		b.t.Fatalf("the run is %s: %s", run.State, run.Error)
	}
	return run
}

func (b *bench) apply1(run Run) Run {
	b.t.Helper()
	_, err := b.ApplyHeld(b.ctx, run.ID)
	b.ok(err)
	run, err = b.Work(b.ctx, run.ID)
	b.ok(err)
	if run.State != Applied {
		b.t.Fatalf("the run is %s: %s", run.State, run.Error)
	}
	return run
}

// figures gives a list's part of the report as input-rejected-suppressed-intra-inter-house=net.
func figures(r *Report, name string) string {
	for _, in := range r.Inputs {
		if in.Name == name {
			return fmt.Sprintf("%d-%d-%d-%d-%d-%d=%d", in.Input, in.Rejected, in.Suppressed, in.IntraDuplicates, in.InterDuplicates, in.HouseMatches, in.Net)
		}
	}
	return "no list " + name
}

// verdicts gives every record as "list line: verdict (reason)", by list and line.
func (b *bench) verdicts(run Run) []string {
	b.t.Helper()
	records, err := b.Records(b.ctx, run.ID, Filter{}, 0, 10_000)
	b.ok(err)
	out := make([]string, len(records))
	for i, r := range records {
		out[i] = fmt.Sprintf("%s %s: %s", r.InputName, r.Name, r.Verdict)
		if r.Reason != "" {
			out[i] += " (" + r.Reason + ")"
		}
	}
	return out
}

func (b *bench) count(sql string, args ...any) int64 {
	b.t.Helper()
	var n int64
	b.ok(b.pool.QueryRow(b.ctx, sql, args...).Scan(&n))
	return n
}

func asJSON(v any) string {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		panic(err)
	}
	return string(data)
}

func keys(m map[string]int64) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s: %d", k, m[k]))
	}
	return strings.Join(out, ", ")
}
