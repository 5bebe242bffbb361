package campaigns

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/internal/fault"
	"aldine/tracking"
)

func TestApprovalNeedsBudgetAndJourney(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()
	d, err := f.Create(ctx, Input{Name: "Spring", Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Approve(ctx, d.ID, 0)
	wants(t, err, "budget", "Set a budget")
	wants(t, err, "journey", "needs a journey")
	if _, err := f.Launch(ctx, d.ID); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "approve it first") {
		t.Errorf("launch of a draft: %v", err)
	}
	if got := f.get(t, d.ID); got.State != Draft || got.RowVersion != d.RowVersion {
		t.Errorf("the failed approval left %+v", got.Campaign)
	}
	if _, err := f.Approve(ctx, 999, 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such campaign: %v", err)
	}
	if _, err := f.Update(ctx, d.ID, Patch{Budget: amount("5"), FixedCost: amount("6"), Journey: steps(`{"key":"e","type":"end"}`)}); err != nil {
		t.Fatal(err)
	}
	_, err = f.Approve(ctx, d.ID, 0)
	wants(t, err, "budget", "fixed cost of 6.00 EUR")
}

func TestApprovalFreezes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()
	f.people(t, 100)
	f.rent(t)
	mail := f.template(t, "Mail", content.Email)
	f.template(t, "Letter", content.Post)
	segment := one[int64](t, f, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES ('Buyers', 'orders_count > 0 or in_list("Rented")', 't', @now, @now) RETURNING segment_id`, pgx.NamedArgs{"now": f.time()})
	d := f.create(t, Input{Segment: "Buyers", Budget: amount("1"), Cells: []CellInput{{"a", *amount("50"), false}, {"b", *amount("40"), false}, {"hold", *amount("10"), true}},
		Journey: steps(`{"key":"m","type":"email","template":"Mail","unit_cost":"0.01","next":"b"}`, `{"key":"b","type":"branch","if":"clicked('this')","else":"l"}`, `{"key":"l","type":"post","template":"Letter","unit_cost":"0.8"}`)})
	if d.SegmentID == nil || *d.SegmentID != segment || d.Expression != "" {
		t.Fatalf("%+v", d.Campaign)
	}
	d, err := f.Approve(ctx, d.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "below the forecast cost") {
		t.Errorf("warnings %q", d.Warnings)
	}
	f.exec(t, `UPDATE segments SET expression = 'orders_count > 99'`)
	mail.HTML = "<p>Other words</p>"
	if mail, err = f.content.Save(ctx, mail); err != nil || mail.Version != 2 {
		t.Fatal(mail.Version, err)
	}
	d = f.get(t, d.ID)
	if d.Expression != `orders_count > 0 or in_list("Rented")` || len(d.Steps) != 3 || d.Steps[0].TemplateVersion != 1 || d.Steps[0].TemplateID != mail.ID || d.Steps[1].Config.If != `clicked("spring")` {
		t.Errorf("not frozen: %q, %+v", d.Expression, d.Steps)
	}
	if url := one[string](t, f, `SELECT url FROM links`); url != "https://shop.example/roses" {
		t.Errorf("link %q", url)
	}
	rows, err := f.pool.Query(ctx, `SELECT keycode FROM keycodes ORDER BY keycode`)
	if err != nil {
		t.Fatal(err)
	}
	codes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(codes) != 2*2*3 { // send steps, treated cells, lists with none
		t.Fatalf("%d keycodes, want 12: %v", len(codes), err)
	}
	for _, c := range codes {
		if _, err := tracking.CheckKeycode(c); err != nil {
			t.Error(err)
		}
	}
	if base := one[string](t, f, `SELECT value #>> '{}' FROM settings WHERE name = 'base_currency'`); base != "EUR" {
		t.Errorf("base currency %q", base)
	}
}

func TestApprovalFreezesNestedSegments(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 100)
	f.exec(t, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES
		('Buyers', 'orders_count > 0 // any', 't', @now, @now), ('Some', 'in_segment("Buyers") and orders_count < 3', 't', @now, @now)`, pgx.NamedArgs{"now": f.time()})
	d := f.create(t, Input{Expression: `in_segment("Some") or false`, Journey: steps(`{"key":"g","type":"goal","if":"in_segment('Buyers')"}`)})
	if _, err := f.Approve(t.Context(), d.ID, 0); err != nil {
		t.Fatal(err)
	}
	f.exec(t, `UPDATE segments SET expression = 'false'`)
	if _, err := f.Launch(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	f.work(t)
	if d = f.get(t, d.ID); d.Enrollments["converted"] != 40 || *d.Audience != 40 {
		t.Errorf("%d in the audience, %v; want 40 of both", *d.Audience, d.Enrollments)
	}
}

func TestForeignCurrencyNeedsARate(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.create(t, Input{Currency: "EUR", Journey: steps(`{"key":"e","type":"end"}`)})
	if _, err := f.Approve(t.Context(), 1, 0); err != nil {
		t.Fatal(err)
	}
	d := f.create(t, Input{Currency: "CHF", Journey: steps(`{"key":"e","type":"end"}`)})
	_, err := f.Approve(t.Context(), d.ID, 0)
	wants(t, err, "currency", "no exchange rate from CHF to EUR")
	f.exec(t, `INSERT INTO exchange_rates VALUES ('CHF', 1.05, now())`)
	if _, err := f.Approve(t.Context(), d.ID, 0); err != nil {
		t.Fatal(err)
	}
}

func TestTwoLaunchesAtOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)
	d := f.create(t, Input{FixedCost: amount("250"), Journey: steps(`{"key":"e","type":"end"}`)})
	if _, err := f.Approve(t.Context(), d.ID, 0); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = f.Launch(t.Context(), d.ID) })
	}
	wg.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "it can't be launched again") {
			t.Error(err)
		}
	}
	if n := one[int](t, f, `SELECT count(*) FROM river_job WHERE kind = 'journey_entry'`); done != 1 || n != 1 {
		t.Errorf("%d launches, %d entries", done, n)
	}
	if spent := f.get(t, d.ID).Money.Spent.String(); spent != "250.00" {
		t.Errorf("spent %s, want the fixed cost once", spent)
	}
}

// TestLaunchAfterTheEnd: an approved campaign whose end has passed meanwhile would exclude everybody.
func TestLaunchAfterTheEnd(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 3)
	f.template(t, "Mail", content.Email)
	d := f.create(t, Input{Budget: amount("10"), EndsAt: f.time().Add(time.Hour).Format(time.RFC3339), Journey: steps(`{"key":"m","type":"email","template":"Mail","unit_cost":"0.01"}`)})
	if _, err := f.Approve(t.Context(), d.ID, 0); err != nil {
		t.Fatal(err)
	}
	f.move(2 * time.Hour)
	if _, err := f.Launch(t.Context(), d.ID); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "end has passed") {
		t.Errorf("launch after the end: %v", err)
	}
	if got := f.get(t, d.ID); got.State != Approved {
		t.Errorf("the campaign is %s", got.State)
	}
}

func TestBudgetArithmetic(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()
	f.people(t, 3000)
	f.rent(t)
	f.template(t, "Mail", content.Email)
	d := f.launch(t, Input{Expression: `true or in_list("Rented")`, Budget: amount("1000"), FixedCost: amount("250.50"), Journey: oneMail, Cells: []CellInput{{"test", *amount("75"), false}, {"hold", *amount("25"), true}}})
	// 1000 names of the rented list, 75 % of them treated, 100 a thousand.
	if got := d.Money; got.Spent.String() != "250.50" || got.Reserved.String() != "75.00" || got.Available.String() != "674.50" {
		t.Errorf("after launch: %+v", got)
	}
	f.work(t)
	d = f.get(t, d.ID)
	names := one[int64](t, f, `SELECT count(*) FROM enrollments e JOIN cells c USING (cell_id) WHERE e.list_id = 2 AND NOT c.is_control`)
	want, err := customers.PerThousand(*amount("100"), names)
	if err != nil {
		t.Fatal(err)
	}
	spent, _ := amount("250.5").Add(want)
	available, _ := amount("1000").Sub(spent)
	if d.Money.Spent.Cmp(spent) != 0 || !d.Money.Reserved.IsZero() || d.Money.Available.Cmp(available) != 0 {
		t.Errorf("after entry of %d rented names: %+v, want spent %s", names, d.Money, spent)
	}
	err = pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		left, err := BudgetTx(ctx, tx, d.ID)
		if err == nil && left.Cmp(available) != 0 {
			t.Errorf("BudgetTx gives %s, want %s", left, available)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestForecast(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 3000)
	f.rent(t)
	f.template(t, "Mail", content.Email)
	d := f.create(t, Input{Budget: amount("10"), FixedCost: amount("1"), Expression: `orders_count >= 2 and (true or in_list("Rented"))`, Cells: []CellInput{{"test", *amount("90"), false}, {"hold", *amount("10"), true}},
		Journey: steps(`{"key":"m","type":"email","template":"Mail","unit_cost":"0.0125","next":"s"}`, `{"key":"s","type":"split","arms":[{"weight":1,"next":"n"},{"weight":3}]}`, `{"key":"n","type":"email","template":"Mail","unit_cost":"0.02"}`)})
	got, err := f.Forecast(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Audience != 1800 || got.Cells[0].Customers != 1620 || got.Cells[1].Customers != 180 || got.Steps[0].Volume != 1620 || got.Steps[1].Volume != 405 {
		t.Errorf("%+v", got)
	}
	// 1 + 1620 x 0.0125 + 405 x 0.02 + rented: 600 names, 90 % of them, 100 a thousand
	if got.Lists.String() != "54.00" || got.Total.String() != "83.35" || got.Steps[0].Cost.String() != "20.25" || got.Fixed.String() != "1.00" || len(got.Warnings) != 1 {
		t.Errorf("lists %s, total %s, warnings %q", got.Lists, got.Total, got.Warnings)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 50)
	d := f.launch(t, Input{Journey: steps(`{"key":"w","type":"wait","for":"3d"}`)})
	f.work(t)
	d, err := f.Cancel(t.Context(), d.ID)
	if err != nil || d.State != Cancelled || d.Enrollments["left"] != 50 || d.Enrollments["active"] != 0 {
		t.Fatalf("%+v, %v", d, err)
	}
	if n := one[int](t, f, `SELECT count(*) FROM river_job WHERE kind = 'campaign_cancelled'`); n != 1 {
		t.Errorf("%d jobs tell of it", n)
	}
	f.pass(t, d.ID, 5*24*3600e9)
	if got := f.get(t, d.ID); got.State != Cancelled || got.Enrollments["left"] != 50 {
		t.Errorf("%+v", got)
	}
	for _, act := range []func() error{
		func() error { _, err := f.Resume(t.Context(), d.ID); return err }, func() error { _, err := f.Launch(t.Context(), d.ID); return err },
		func() error { _, err := f.Cancel(t.Context(), d.ID); return err },
	} {
		if err := act(); !fault.Is(err, fault.Conflict) {
			t.Errorf("a cancelled campaign: %v", err)
		}
	}
}

func TestPreviewAndExpandLink(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 2)
	v := f.template(t, "Mail", content.Email)
	out, err := f.Preview(t.Context(), 0, v.ID, 0, 2)
	if err != nil || out.Subject != "Hello P2" || !strings.Contains(out.Text, "Dear P2, your code is SAMPLE00") || !strings.Contains(out.HTML, `"https://shop.example/roses"`) {
		t.Fatalf("%+v, %v", out, err)
	}
	if _, err := f.Preview(t.Context(), 0, v.ID, 0, 99); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if _, err := f.Preview(t.Context(), 0, 99, 0, 1); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	_, err = f.PreviewDraft(t.Context(), content.Template{Channel: content.SMS, Body: "{{ customer.nobody }}"}, 1)
	wants(t, err, "body", "customer.nobody")
	d := f.create(t, Input{})
	url, err := f.ExpandLink(t.Context(), "https://shop.example/{{ campaign.code }}/{{ customer.first_name }}", 2, d.ID)
	if err != nil || url != "https://shop.example/spring/P2" {
		t.Fatal(url, err)
	}
}
