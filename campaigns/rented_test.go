package campaigns

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"aldine/campaigns/content"
)

const everybody = `true or in_list("Rented")`

// The hire of a list is booked by its deal, once over all campaigns that use its names.
func TestHireIsPaidOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 300)
	f.rent(t)
	f.template(t, "Mail", content.Email)
	f.exec(t, `UPDATE lists SET uses = 2, gross = 200, net_share = 0.85, running_charge = 3, extra_per_thousand = 10 WHERE list_id = 2`)
	booked := func(id int64) string {
		return one[string](t, f, `SELECT coalesce(string_agg(component || ' ' || quantity || ' ' || trim_scale(amount), ', ' ORDER BY component, amount), '') FROM cost_entries
			WHERE campaign_id = $1 AND kind = 'list'`, id)
	}
	few := f.launch(t, Input{Name: "Few", Expression: `in_list("Rented") and nth(2)`, Journey: oneMail})
	if got := few.Money.Reserved.String(); got != "19.09" { // 170 at 100, 30 at 3, 200 at 10 a thousand
		t.Errorf("reserved %s", got)
	}
	f.work(t)
	if got := booked(few.ID); got != "extra 200 2, minimum 120 12, names 50 5, unused 30 0.09" {
		t.Errorf("the first campaign pays %s", got)
	}
	f.send(t, few.ID)
	all := f.create(t, Input{Name: "All", Expression: everybody, Budget: amount("1000"), Journey: oneMail})
	forecast, err := f.Forecast(t.Context(), all.ID)
	if err != nil || forecast.Audience != 300 || forecast.UsedUp != 0 || forecast.Lists.String() != "0.00" {
		t.Errorf("%+v, %v", forecast, err) // 100 names are fewer than the 170 paid for
	}
	if _, err := f.Approve(t.Context(), all.ID, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Launch(t.Context(), all.ID); err != nil {
		t.Fatal(err)
	}
	f.work(t)
	if got := booked(all.ID); got != "minimum -50 -5, names 50 5" { // the names of the first are paid for, the others were the minimum
		t.Errorf("the second campaign pays %s", got)
	}
	f.send(t, all.ID)
	// Half of the names were in two campaigns now.
	third := f.create(t, Input{Name: "Third", Expression: everybody, Budget: amount("1000"), Journey: oneMail})
	third, err = f.Approve(t.Context(), third.ID, 0)
	if err != nil || len(third.Warnings) != 1 || !strings.Contains(third.Warnings[0], "50 of 100 names of Rented are used up") {
		t.Errorf("%q, %v", third.Warnings, err)
	}
	f.exec(t, `UPDATE lists SET mail_by = $1 WHERE list_id = 2`, f.time().AddDate(0, 0, -1))
	if forecast, err = f.Forecast(t.Context(), third.ID); err != nil || forecast.UsedUp != 100 {
		t.Errorf("%+v, %v", forecast, err)
	}
	f.exec(t, `UPDATE lists SET mail_by = $1 WHERE list_id = 2`, f.time())
	if forecast, err = f.Forecast(t.Context(), third.ID); err != nil || forecast.UsedUp != 50 {
		t.Errorf("the last day counts: %+v, %v", forecast, err)
	}
}

// Names of a rented list that are in the house file now are hired no more; conditions within a journey ask rented names too.
func TestRentedNamesInAJourney(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 30)
	f.rent(t)
	f.exec(t, `UPDATE customers SET rented = false WHERE customer_id IN (2, 5)`)
	f.template(t, "Mail", content.Email)
	d := f.launch(t, Input{Expression: everybody, Journey: steps(`{"key":"b","type":"branch","if":"email contains 'p'","then":"m","else":"end"}`,
		`{"key":"m","type":"email","template":"Mail"}`, `{"key":"end","type":"end"}`)})
	f.work(t)
	if n := one[int](t, f, `SELECT count(*) FROM touches`); n != 30 {
		t.Errorf("%d touches of 30 customers: %+v", n, f.get(t, d.ID).Enrollments)
	}
	if n := one[int](t, f, `SELECT sum(quantity)::int FROM cost_entries WHERE kind = 'list'`); n != 8 {
		t.Errorf("%d names were hired", n)
	}
	if n := one[int](t, f, `SELECT count(*) FROM enrollments WHERE list_id IS NULL`); n != 12 {
		t.Errorf("%d are of no list", n)
	}
	if _, err := f.Create(t.Context(), Input{Name: "House", Currency: "EUR", Journey: oneMail}); err != nil {
		t.Fatal(err)
	}
	forecast, err := f.Forecast(t.Context(), d.ID+1)
	if err != nil || forecast.Audience != 22 {
		t.Errorf("the house file: %+v, %v", forecast, err)
	}
}

// A step that addresses the best of a group waits until all have come; one for each person does not.
func TestGroupsWaitForAll(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 2500)
	f.template(t, "Mail", content.Email)
	f.template(t, "Letter", content.Post)
	d := f.launch(t, Input{Journey: steps(`{"key":"mail","type":"email","template":"Mail","next":"b"}`, `{"key":"b","type":"branch","if":"nth(2)","then":"letter","else":"end"}`,
		`{"key":"letter","type":"post","template":"Letter","dedup":"household","next":"w"}`, `{"key":"w","type":"wait","for":"1d","next":"again"}`,
		`{"key":"again","type":"post","template":"Letter","dedup":"address"}`, `{"key":"end","type":"end"}`)})
	touched := func(key string) int {
		return one[int](t, f, `SELECT count(*) FROM touches JOIN steps USING (step_id) WHERE key = $1`, key)
	}
	for range 8 { // entry of the first slice; its walk comes after the entry of the second
		if f.work1(t); touched("mail") > 0 {
			break
		}
	}
	if n := touched("letter"); touched("mail") == 0 || n != 0 || f.get(t, d.ID).EntryDoneAt != nil {
		t.Errorf("%d mails, %d letters before all have come", touched("mail"), n)
	}
	f.work(t)
	if m, n := touched("mail"), touched("letter"); m != 2500 || n != 1250 {
		t.Errorf("%d mails, %d letters", m, n)
	}
	f.pass(t, d.ID, 25*time.Hour)
	if n := touched("again"); n != 1250 {
		t.Errorf("%d second letters", n)
	}
	f.send(t, d.ID)
	f.pass(t, d.ID, time.Hour)
	if got := f.get(t, d.ID); got.State != Finished || got.Enrollments["completed"] != 2500 {
		t.Errorf("%s, %v", got.State, got.Enrollments)
	}
}

// Rented names go when their licence is over and their last use is long ago; what was sent to them stays counted.
func TestRentedNamesAreForgotten(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 90)
	f.rent(t)
	f.template(t, "Mail", content.Email)
	d := f.launch(t, Input{Expression: `in_list("Rented") and nth(2)`, Journey: oneMail})
	f.work(t)
	f.send(t, d.ID)
	f.work(t)
	f.exec(t, `UPDATE customers SET rented = false WHERE customer_id = 2`) // has responded
	left := func() string {
		return one[string](t, f, `SELECT count(*) FILTER (WHERE rented) || '/' || count(*) || '/' || (SELECT count(*) FROM list_members WHERE list_id = 2) FROM customers`)
	}
	for _, tt := range []struct {
		days   int
		mailBy string
		want   string
	}{
		{119, "", "29/90/30"}, // too early
		{2, "", "15/76/16"},   // 15 were used, one has responded
		{5, "2026-11-20", "15/76/16"},
		{30, "2026-11-20", "0/61/1"}, // never used, and the last day is long ago
	} {
		f.move(time.Duration(tt.days) * 24 * time.Hour)
		f.exec(t, `UPDATE lists SET mail_by = nullif($1, '')::date WHERE list_id = 2`, tt.mailBy)
		if err := f.forgetRented(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := left(); got != tt.want {
			t.Errorf("after %d days: %s, want %s", tt.days, got, tt.want)
		}
	}
	if got := f.get(t, d.ID); got.Touches.ByState["sent"] != 15 {
		t.Errorf("touches %v", got.Touches.ByState)
	}
	for _, table := range []string{"customer_emails", "consents", "erased_identities"} {
		if n := one[int](t, f, fmt.Sprintf(`SELECT count(*) FROM %s`, table)); n > 61 {
			t.Errorf("%d rows of %s", n, table)
		}
	}
}
