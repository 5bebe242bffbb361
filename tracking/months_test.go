package tracking_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"aldine/campaigns/rollup"
	"aldine/internal/fault"
	"aldine/internal/settings"
	"aldine/tracking"
)

func (w *world) put(customer int64, kind string, at time.Time, of any) {
	w.t.Helper()
	w.exec(`INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, cell_id, channel, method, machine)
		VALUES (@customer, @id, @kind, @at, @at, @of, 11, 31, 'email', 'token', false)`, "customer", customer, "id", uuid.New(), "kind", kind, "at", at, "of", of)
}

func onDay(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 10, 0, 0, 0, time.UTC)
}

func TestAnyDateIsTakenIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = time.Now().Truncate(time.Millisecond)
	year := w.now.UTC().Year()
	for _, at := range []time.Time{onDay(1970, 1, 1), onDay(1, 1, 1), onDay(9999, 12, 31), onDay(year+1, 12, 31), w.now} {
		w.put(1, "click", at, 1)
	}
	if err := w.s.MakeMonths(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.want(`SELECT tableoid::regclass || ' ' || count(*) FROM responses GROUP BY tableoid ORDER BY 1`,
		w.now.UTC().Format("responses_2006_01")+" 1, responses_default 2, responses_past 2")
	// What lay in the default table moves to its month once that has a table of its own, and is found there by its key.
	w.now = time.Date(year+1, 12, 15, 0, 0, 0, 0, time.UTC)
	if err := w.s.MakeMonths(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.want(`SELECT tableoid::regclass || ' ' || count(*) FROM responses WHERE at BETWEEN '`+fmt.Sprint(year+1)+`-06-01' AND '`+fmt.Sprint(year+2)+`-06-01' GROUP BY tableoid`,
		fmt.Sprintf("responses_%d_12 1", year+1))
	w.want(`SELECT count(*) FROM responses`, "5")
	w.want(`SELECT count(*) FROM responses_default`, "1")
	w.want(`SELECT to_regclass('responses_`+fmt.Sprintf("%d_02", year+2)+`') IS NOT NULL`, "true")
	w.put(1, "click", time.Date(year+2, 1, 5, 0, 0, 0, 0, time.UTC), 1)
	w.want(`SELECT count(*) FROM responses_default`, "1")
}

func TestReportedDatesOfAnyAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, at := range []time.Time{onDay(1899, 12, 31), start.Add(25 * time.Hour), onDay(9999, 1, 1)} {
		if _, err := w.s.Record(t.Context(), "shop", []tracking.Response{{Ref: "bad", Kind: tracking.KindClick, CustomerID: 1, Campaign: "spring", At: at}}); err == nil {
			t.Error("taken in:", at)
		}
	}
	old := tracking.Response{Ref: "old", Kind: tracking.KindReply, CustomerID: 1, Campaign: "spring", At: onDay(1970, 1, 1)}
	first := w.record("shop", old)
	again := old
	again.At = onDay(2020, 6, 1) // the same ref once more, with another date: the same response
	if second := w.record("shop", again); !second[0].Repeated || second[0].ResponseID != first[0].ResponseID {
		t.Error(second)
	}
	w.want(`SELECT count(*) || ' ' || min(tableoid::regclass::text) FROM responses`, "1 responses_past")
}

func TestMonthsAreMadeByManyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = time.Now().AddDate(1, 0, 0)
	for n := range 200 {
		w.put(int64(n+1), "open", w.now.AddDate(0, -n%9, 0), 1)
	}
	var all errgroup.Group
	for range 4 {
		all.Go(func() error { return w.s.MakeMonths(t.Context()) })
	}
	stop := make(chan struct{})
	all.Go(func() error { // while responses come in
		for n := 0; ; n++ {
			select {
			case <-stop:
				return nil
			default:
			}
			if _, err := w.s.Record(context.Background(), "shop", []tracking.Response{{Kind: tracking.KindVisit, CustomerID: 3, At: w.now.AddDate(0, -n%5, 0)}}); err != nil {
				return err
			}
		}
	})
	time.Sleep(300 * time.Millisecond)
	close(stop)
	if err := all.Wait(); err != nil {
		var pe *pgconn.PgError
		if !errors.As(err, &pe) || pe.Code != "55P03" { // gave up rather than keep others waiting
			t.Fatal(err)
		}
		if err := w.s.MakeMonths(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.want(`SELECT count(*) FROM responses_default`, "0")
	w.want(`SELECT count(*) >= 200 FROM responses`, "true")
	w.want(`SELECT count(*) = count(DISTINCT (customer_id, response_id)) FROM responses`, "true")
}

// forgetting is a world in which campaign 2 has ended long ago and campaign 1 goes on, with hits of three years.
func forgetting(t *testing.T) *world {
	w := newWorld(t)
	w.now = time.Now()
	if _, err := settings.New(w.pool, time.Now).Update(t.Context(), func(v *settings.Values) error { v.HitMonths = 12; return nil }); err != nil {
		t.Fatal(err)
	}
	long := w.now.AddDate(-2, 0, 0)
	w.exec(`DO $$ BEGIN
		DROP TABLE responses_past;
		FOR n IN 1..35 LOOP
			EXECUTE format('CREATE TABLE %I PARTITION OF responses FOR VALUES FROM (%L) TO (%L)', to_char(date_trunc('month', now()) - n * interval '1 month', '"responses_"YYYY_MM'),
				date_trunc('month', now()) - n * interval '1 month', date_trunc('month', now()) - (n - 1) * interval '1 month');
		END LOOP;
		EXECUTE format('CREATE TABLE responses_past PARTITION OF responses FOR VALUES FROM (MINVALUE) TO (%L)', date_trunc('month', now()) - interval '35 months');
	END $$`)
	w.exec(`UPDATE campaigns SET launched_at = @long::timestamptz - interval '1 year'`, "long", long)
	w.exec(`UPDATE campaigns SET finished_at = @long WHERE campaign_id = 2`, "long", long)
	for n := range 36 {
		at := w.now.AddDate(0, -n, 0)
		w.put(1, "click", at, 1)
		w.put(2, "open", at, 2)
		w.put(3, "click", at, 2)
		w.put(3, "reply", at, 2)
		w.put(4, "open", at, nil)
	}
	w.fold()
	return w
}

func (w *world) fold() {
	w.t.Helper()
	w.await(`SELECT count(*) FROM rollup_marks`, "0") // by the one who follows
	w.await(`SELECT bool_and(complete OR sealed_at IS NOT NULL) FROM rollups`, "true")
}

const figures = `SELECT string_agg(concat_ws(' ', campaign_id, dim, item, number, responses, customers), E'\n' ORDER BY campaign_id, dim, item) FROM rollup_totals`

func TestOldHitsAreForgotten(t *testing.T) {
	t.Parallel()
	w := forgetting(t)
	before := w.text(figures)
	for range 2 {
		if err := w.s.MakeMonths(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.s.ForgetHits(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	kept := w.now.UTC().AddDate(0, -12, 0).Format("2006-01-01")
	w.want(`SELECT count(*) FROM responses WHERE at < '`+kept+`' AND kind IN ('open', 'click') AND campaign_id IS DISTINCT FROM 1`, "0")
	w.want(`SELECT count(*) FROM responses WHERE kind = 'reply'`, "36")
	w.want(`SELECT count(*) FROM responses WHERE campaign_id = 1`, "36") // it goes on
	w.want(`SELECT count(*) >= 12 AND count(*) <= 14 FROM responses WHERE customer_id = 4`, "true")
	w.want(`SELECT string_agg(campaign_id::text, ' ') FROM rollups WHERE sealed_at IS NOT NULL`, "2")
	w.want(`SELECT count(*) FROM pg_inherits WHERE inhparent = 'responses'::regclass`, w.text(`SELECT 13 + 2 + 2`)) // this month and 12, two ahead, past and default

	// The figures of what is gone stay, whatever is marked, and with other settings too.
	w.exec(`INSERT INTO rollup_marks (campaign_id, mark_id, slices, at) VALUES (2, gen_random_uuid(), '{0}', now())`)
	w.fold()
	if after := w.text(figures); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	w.want(`SELECT count(*) FROM rollup_marks`, "0")
	other := settings.Defaults()
	other.DefaultTimeZone, other.MatchbackPostDays = "Asia/Tokyo", 1
	if err := rollup.Fold(t.Context(), w.pool, rollup.ConfigOf(other), time.Now, time.Minute); err != nil {
		t.Fatal(err)
	}
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	read, err := rollup.Read(t.Context(), tx, rollup.ConfigOf(other), []int64{2}, rollup.Kind)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, l := range read.Lines {
		got += fmt.Sprint(l.Item, l.Customers, " ")
	}
	if got != "click1 open1 reply1 " {
		t.Error(got)
	}
}

func TestFirstTheFiguresThenForgetting(t *testing.T) {
	t.Parallel()
	w := forgetting(t)
	w.exec(`INSERT INTO rollup_marks (campaign_id, mark_id, slices, at) VALUES (2, gen_random_uuid(), '{0}', now())`) // not counted yet
	if err := w.s.ForgetHits(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.want(`SELECT count(*) FROM responses WHERE campaign_id = 2`, "108")
	w.want(`SELECT count(*) FROM rollups WHERE sealed_at IS NOT NULL`, "0")
	w.fold()
	if err := w.s.ForgetHits(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.want(`SELECT count(*) < 70 FROM responses WHERE campaign_id = 2`, "true")
}

func TestNothingIsForgottenUnasked(t *testing.T) {
	t.Parallel()
	w := forgetting(t)
	if _, err := settings.New(w.pool, time.Now).Update(t.Context(), func(v *settings.Values) error { v.HitMonths = 0; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := w.s.ForgetHits(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.want(`SELECT count(*) FROM responses`, "180")
}

// Hits are judged again, and customers merged, while a month is taken away: both touch all months, and neither stops the other for good.
func TestForgettingAmongChangesOfAllMonths(t *testing.T) {
	t.Parallel()
	w := forgetting(t)
	w.exec(`INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, method)
		SELECT 3, gen_random_uuid(), 'open', @at, @at, 2, 'token' FROM generate_series(1, 100000) n`, "at", w.now.AddDate(0, -20, 0))
	w.fold()
	ctx, stop := context.WithCancel(t.Context())
	var all errgroup.Group
	for n := range 4 {
		all.Go(func() error {
			for ctx.Err() == nil {
				if _, err := w.pool.Exec(context.Background(), `
					UPDATE responses r SET rules = 1 FROM (SELECT customer_id, response_id, at FROM responses WHERE customer_id = $1 AND campaign_id = 1 LIMIT 1) AS q
					WHERE r.customer_id = q.customer_id AND r.response_id = q.response_id AND r.at = q.at`, n+1); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := w.s.ForgetHits(t.Context())
	stop()
	if other := all.Wait(); err != nil || other != nil {
		t.Fatal(err, other)
	}
	w.want(`SELECT count(*) < 70 FROM responses WHERE campaign_id = 2`, "true")
}

// Rules that look back at opens and clicks find them: they are kept as long as the longest.
func TestHitsAreKeptForTheRulesThatNeedThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		months, post, soft int
		bad                bool
	}{{3, 90, 14, false}, {3, 120, 14, true}, {3, 90, 200, true}, {24, 720, 365, false}, {0, 730, 365, false}} {
		v := settings.Defaults()
		v.HitMonths, v.MatchbackPostDays, v.MatchbackCallsDays, v.SoftBounceDays = c.months, c.post, min(c.post, 90), c.soft
		err := v.Check()
		var f *fault.Error
		if bad := errors.As(err, &f) && len(f.Fields) == 1 && f.Fields[0].Name == "hit_months"; bad != c.bad || err != nil && !bad {
			t.Error(c, err)
		}
	}
}
