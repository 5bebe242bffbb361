package campaigns

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/content"
	"aldine/internal/settings"
)

func TestForecastOfFrequencyCaps(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 1000)
	f.template(t, "Mail", content.Email)
	d := f.create(t, Input{Expression: `orders_count >= 0`, Cells: []CellInput{{"test", *amount("50"), false}, {"hold", *amount("50"), true}},
		Journey: steps(`{"key":"m","type":"email","template":"Mail"}`)})
	f.exec(t, `INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, planned_at, sent_at, updated_at)
		SELECT customer_id, 990, n, CASE WHEN customer_id % 10 = 0 THEN 'sms' ELSE 'email' END, 1, 'sent', @now, @now::timestamptz - make_interval(days => n), @now
		FROM customers, generate_series(1, 2) n WHERE customer_id % 2 = 0`, pgx.NamedArgs{"now": f.time()})
	all, asked := one[int64](t, f, `SELECT count(*) FROM customers c WHERE NOT c.rented`), one[int64](t, f, `SELECT count(*) FROM customers WHERE NOT rented AND customer_id % 2 = 0 AND customer_id % 10 > 0`)
	got, err := f.Forecast(t.Context(), d.ID)
	if err != nil || got.Audience != all || got.Steps[0].Capped != 0 || len(got.Warnings) != 0 {
		t.Fatalf("without a cap: %+v, %v", got, err)
	}
	for _, c := range []struct {
		most, days int
		want       int64
		warning    string
	}{{2, 7, asked, "had 2 e-mails in 7 days"}, {1, 1, 0, ""}, {1, 2, asked, "had one e-mail in 2 days"}, {3, 7, 0, ""}} {
		if _, err := f.settings.Update(t.Context(), func(v *settings.Values) error { v.CapEmail, v.CapDays = c.most, c.days; return nil }); err != nil {
			t.Fatal(err)
		}
		got, err := f.Forecast(t.Context(), d.ID)
		if err != nil || got.Steps[0].Capped != c.want/2 || strings.Contains(strings.Join(got.Warnings, " "), "left out") != (c.warning != "") ||
			!strings.Contains(strings.Join(got.Warnings, " "), c.warning) {
			t.Errorf("%d in %d days: %+v, %v, want %d of %d", c.most, c.days, got, err, c.want, all)
		}
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.template(t, "Mail", content.Email)
	d := f.create(t, Input{EndsAt: "2026-12-24T18:00:00+01:00", Journey: steps(`{"key":"m","type":"email","template":"Mail","window":"Mon-Fri 9-20 local"}`)})
	if d.EndsAt == nil || d.EndsAt.UTC().Hour() != 17 || d.Journey.Steps[0].Window != "mon-fri 09:00-20:00 local" {
		t.Fatalf("%v, %+v", d.EndsAt, d.Journey)
	}
	for _, bad := range []string{"tomorrow", "2026-10-01T00:00:00Z", "2026-12-24"} {
		if _, err := f.Update(t.Context(), d.ID, Patch{EndsAt: &bad}); err == nil || !strings.Contains(err.Error(), "end") && !strings.Contains(err.Error(), "mistakes") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	none := ""
	if d, err := f.Update(t.Context(), d.ID, Patch{EndsAt: &none}); err != nil || d.EndsAt != nil {
		t.Errorf("%v, %v", d.EndsAt, err)
	}
	for window, kind := range map[string]string{"mon 9-9": "email", "mon 9-10": "post", "always": "calls"} {
		err := f.CheckJourney(t.Context(), steps(`{"key":"m","type":"`+kind+`","template":"Mail","window":"`+window+`"}`))
		if err == nil {
			t.Errorf("%s of a step by %s was accepted", window, kind)
		}
	}
}
