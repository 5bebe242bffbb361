package tracking_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"aldine/tracking"
)

// A hit that was answered by a process that died lies in the journal, and whoever comes next lands it.
func TestHitsOutliveTheirProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`ALTER TABLE responses RENAME TO gone`) // nothing can land
	for range 3 {
		if res, _ := w.request("GET", w.urls.PixelURL(anna), browser, ""); res.StatusCode != http.StatusOK {
			t.Fatal(res.Status) // nor need it: the journal has it
		}
	}
	if err := w.s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM hit_journal WHERE NOT aside`).Scan(&rows); err != nil || rows != 3 {
		t.Fatal(rows, err)
	}
	w.exec(`ALTER TABLE gone RENAME TO responses`)
	w.want(`SELECT count(*) FROM responses WHERE kind = 'open'`, "3")
	w.want(`SELECT count(*) FROM hit_journal`, "0")
}

// A row that cannot be stored is put aside and holds up none of the others.
func TestAFaultyRowHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`INSERT INTO hit_journal (journal_id, at, hits) VALUES ('00000000-0000-7000-8000-000000000000', @now, 'nonsense')`)
	w.request("GET", w.urls.ClickURL(anna), browser, "")
	w.request("GET", w.urls.PixelURL(anna), browser, "")
	w.await(`SELECT count(*) FROM responses`, "2")
	w.want(`SELECT string_agg(aside::text, ' ') FROM hit_journal`, "true")
}

// An order that comes at once is credited to the click before it, though that was only just answered.
func TestAnOrderFindsTheClickBeforeIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = start.Add(-20 * time.Hour)
	w.request("GET", w.urls.ClickURL(anna), browser, "")
	w.record("shop", tracking.Response{Kind: tracking.KindOrder, CustomerID: 1, OrderRef: "o1", Amount: money("10"), Currency: "USD", At: w.now.Add(time.Second)})
	w.want(`SELECT method || campaign_id FROM attributions`, "token1")
}

// Where hits could not land for some time, orders placed after them are credited again.
func TestAClickThatLandsLateGetsItsOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = start.Add(-20 * time.Hour)
	tx, err := w.pool.Begin(t.Context()) // holds up what lands
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := tx.Exec(t.Context(), `LOCK TABLE customer_aliases IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	if res, _ := w.request("GET", w.urls.ClickURL(anna), browser, ""); res.StatusCode != http.StatusFound {
		t.Fatal(res.Status)
	}
	w.now = w.now.Add(time.Minute)
	if _, err := w.pool.Exec(t.Context(), `INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, base_amount, currency, rate, recorded_at) VALUES (1, 'o1', $1, 1, 10, 10, 'USD', 1, $1)`, w.now); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.want(`SELECT count(*) FROM river_job WHERE kind = 'orders_recorded'`, "1")
}
