package proof_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/rollup"
	"aldine/campaigns/rollup/rolluptest"
	"aldine/internal/settings"
)

// noted is a test of a test: it keeps what that complains of, and ends it when told.
type noted struct {
	testing.TB
	complaints []string
	after      []func()
}

func (n *noted) Helper()          {}
func (n *noted) Cleanup(f func()) { n.after = append(n.after, f) }
func (n *noted) Error(args ...any) {
	n.complaints = append(n.complaints, fmt.Sprint(args...))
}
func (n *noted) Errorf(format string, args ...any) {
	n.complaints = append(n.complaints, fmt.Sprintf(format, args...))
}

func (n *noted) end() []string {
	for _, f := range n.after {
		f()
	}
	return n.complaints
}

func (w *world) fold() {
	w.t.Helper()
	w.must(rollup.Fold(w.ctx, w.pool, rollup.ConfigOf(settings.Defaults()), w.now, time.Minute))
}

func (w *world) exec(sql string) {
	w.t.Helper()
	if _, err := w.pool.Exec(w.ctx, sql); err != nil {
		w.t.Fatalf("%v in %s", err, sql)
	}
}

// A statement that changes what is counted and marks nothing fails the test that follows, whichever table it is.
func TestChangeWithoutMarkIsNoticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.work()
	w.must(w.launch())
	w.rest()
	w.clock.Add(int64(time.Hour)) // hits at once would be a program's
	for range 30 {
		w.must(told(w.order("")))
		w.must(w.hit("GET", browser))
	}
	w.rest()
	stop()
	const one = `(SELECT customer_id FROM %s WHERE customer_id <> 0 ORDER BY customer_id LIMIT 1)`
	for _, sql := range []string{
		`UPDATE touches SET state = 'failed' WHERE state = 'sent' AND customer_id = (SELECT min(customer_id) FROM touches WHERE state = 'sent')`,
		`UPDATE touches SET keycode = 'X' WHERE state = 'sent' AND customer_id = (SELECT min(customer_id) FROM touches WHERE state = 'sent')`,
		`DELETE FROM touches WHERE customer_id = ` + fmt.Sprintf(one, "touches"),
		`UPDATE enrollments SET state = 'left', step_id = NULL WHERE customer_id = ` + fmt.Sprintf(one, "enrollments"),
		`UPDATE responses SET machine = NOT machine WHERE customer_id = (SELECT min(customer_id) FROM responses WHERE kind = 'click' AND campaign_id IS NOT NULL)`,
		`UPDATE responses SET kind = 'open' WHERE kind = 'click' AND customer_id = (SELECT min(customer_id) FROM responses WHERE kind = 'click' AND NOT machine)`,
		`UPDATE responses SET at = at - interval '40 days' WHERE NOT machine AND customer_id = (SELECT min(customer_id) FROM responses WHERE NOT machine AND campaign_id IS NOT NULL)`,
		`DELETE FROM responses WHERE customer_id = (SELECT min(customer_id) FROM responses WHERE campaign_id IS NOT NULL AND NOT machine)`,
		`UPDATE attributions SET weight = 0.5 WHERE customer_id = ` + fmt.Sprintf(one, "attributions"),
		`DELETE FROM attributions WHERE customer_id = ` + fmt.Sprintf(one, "attributions"),
		`UPDATE orders SET base_amount = base_amount + 1 WHERE customer_id = ` + fmt.Sprintf(one, "attributions"),
		`UPDATE cost_entries SET amount = amount + 0.0001 WHERE entry_id = (SELECT entry_id FROM cost_entries ORDER BY entry_id LIMIT 1)`,
		`DELETE FROM reservations WHERE reservation_id = (SELECT reservation_id FROM reservations ORDER BY reservation_id LIMIT 1)`,
		`DELETE FROM rollup_lines WHERE (campaign_id, slice, dim, item) = (SELECT campaign_id, slice, dim, item FROM rollup_lines WHERE planned > 0 ORDER BY 1, 2, 3, 4 LIMIT 1);
			DELETE FROM rollup_totals WHERE (campaign_id, dim, item) = (SELECT campaign_id, dim, item FROM rollup_totals WHERE planned > 0 ORDER BY 1, 2, 3 LIMIT 1)`,
	} {
		w.fold()
		n := &noted{TB: t}
		rolluptest.Follow(n, w.pool)
		w.exec(sql)
		if len(n.end()) == 0 {
			t.Errorf("nothing was noticed of %s", sql)
		}
		w.repair()
	}
}

// repair counts all anew.
func (w *world) repair() {
	w.t.Helper()
	w.exec(`UPDATE rollups SET config = ''`)
	w.fold()
	if left := w.differences(); len(left) > 0 {
		w.t.Fatalf("after counting anew: %v", left)
	}
}

func (w *world) differences() (out []string) {
	w.t.Helper()
	w.must(pgx.BeginTxFunc(w.ctx, w.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		rows, err := tx.Query(w.ctx, `SELECT campaign_id FROM campaigns ORDER BY 1`)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		for _, id := range ids {
			if err == nil {
				var found []string
				found, err = rollup.Check(w.ctx, tx, rollup.ConfigOf(settings.Defaults()), id)
				out = append(out, found...)
			}
		}
		return err
	}))
	return out
}

// Acts that change figures, each done without its marks: the same check that the random acts end with must notice it.
func TestActsNeedTheirMarks(t *testing.T) {
	t.Parallel()
	needMarks(t, "person hits", "order", "reply", "merge", "erase", "reclassify")
}

func needMarks(t *testing.T, names ...string) {
	w := newWorld(t)
	w.exec(`CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`)
	stop := w.work()
	defer stop()
	w.must(w.launch())
	w.rest()
	w.clock.Add(int64(time.Hour))
	for range 20 {
		w.must(w.hit("GET", browser))
		w.must(told(w.order("")))
	}
	before := map[string]string{"undo": "merge", "resolve": "wrong code", "cancel": "launch", "time passes": "launch", "reclassify": "other rules"}
	for _, name := range names {
		noticed := false
		for try := 0; try < 12 && !noticed; try++ {
			if b := before[name]; b != "" {
				w.must(told(byName(b).do(w)))
			}
			if name != "cancel" { // which takes what is not sent yet
				w.rest()
			}
			w.fold()
			w.exec(`CREATE TRIGGER lose BEFORE INSERT ON rollup_marks FOR EACH ROW EXECUTE FUNCTION lose()`)
			err := told(byName(name).do(w))
			w.rest()
			noticed = len(w.differences()) > 0
			w.exec(`DROP TRIGGER lose ON rollup_marks`)
			w.must(err)
			w.repair()
		}
		if !noticed {
			t.Errorf("%s: its marks were lost, and nothing was noticed", name)
		}
	}
}

func byName(name string) act {
	for _, a := range acts {
		if a.name == name {
			return a
		}
	}
	panic(name)
}
