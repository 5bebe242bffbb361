package campaigns

import (
	"testing"

	"golang.org/x/sync/errgroup"

	"aldine/campaigns/content"
	"aldine/campaigns/journey"
)

// An audience is who it was at the launch: a ranking is not made again for later slices, who comes or leaves meanwhile changes
// nothing, and who was erased does not enter.
func TestAnAudienceIsFrozenAtTheLaunch(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 5_000)
	f.exec(t, `UPDATE customers SET total_spent = customer_id`)
	f.template(t, "Mail", content.Email)
	f.exec(t, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES ('best', 'top(2500, total_spent)', 'test', now(), now())`)
	d := f.launch(t, Input{Journey: oneMail, Expression: `in_segment("best") and orders_count >= 0`})
	var jobs errgroup.Group
	for range 3 { // beside each other, as after a job that seemed dead
		jobs.Go(func() error { return f.engine.Enter(t.Context(), journey.EntryArgs{CampaignID: d.ID}) })
	}
	if err := jobs.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := one[int64](t, f, `SELECT members FROM audiences`); n != 2500 {
		t.Fatalf("%d are kept", n)
	}
	if d = f.get(t, d.ID); d.Entered != 1000 {
		t.Fatalf("%d entered", d.Entered)
	}
	if _, err := f.Pause(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	f.work(t)
	f.exec(t, `UPDATE customers SET total_spent = 5001 - customer_id`)
	f.exec(t, `DELETE FROM customers WHERE customer_id IN (4000, 5000)`)
	f.exec(t, `UPDATE segments SET expression = 'orders_count < 0'`)
	if _, err := f.Resume(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	f.work(t)
	d = f.get(t, d.ID)
	if *d.Audience != 2498 || d.Touches.Total != 2498 {
		t.Errorf("audience %d, %d touches", *d.Audience, d.Touches.Total)
	}
	if n := one[int](t, f, `SELECT count(*) FROM enrollments WHERE customer_id <= 2500`); n != 0 {
		t.Errorf("%d were not among the best at the launch", n)
	}
	if n := one[int](t, f, `SELECT count(*) FROM audience_slices`); n != 0 {
		t.Errorf("%d slices are left", n)
	}
}

// Of a campaign that took its audience in by another version of the program, the rest is frozen when that goes on.
func TestEntryThatBeganBeforeAudiencesWereFrozen(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 2_500)
	f.template(t, "Mail", content.Email)
	d := f.launch(t, Input{Journey: oneMail})
	if err := f.engine.Enter(t.Context(), journey.EntryArgs{CampaignID: d.ID}); err != nil {
		t.Fatal(err)
	}
	f.exec(t, `DELETE FROM audience_slices`)
	f.exec(t, `DELETE FROM audiences`)
	f.work(t)
	if n := one[int64](t, f, `SELECT members FROM audiences`); n != 1500 {
		t.Errorf("%d are kept", n)
	}
	if d = f.get(t, d.ID); *d.Audience != 2500 || d.Touches.Total != 2500 {
		t.Errorf("audience %d, %d touches", *d.Audience, d.Touches.Total)
	}
}

// A campaign that is cancelled while its audience is frozen leaves no list of people behind.
func TestSlicesOfCancelledCampaignsGo(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 1_500)
	f.template(t, "Mail", content.Email)
	d := f.launch(t, Input{Journey: oneMail})
	if err := f.engine.Enter(t.Context(), journey.EntryArgs{CampaignID: d.ID}); err != nil {
		t.Fatal(err)
	}
	if err := f.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := func() int { return one[int](t, f, `SELECT count(*) FROM audience_slices WHERE campaign_id = $1`, d.ID) }
	if n := left(); n != 2 {
		t.Fatalf("%d slices of a running campaign", n)
	}
	if _, err := f.Cancel(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	if err := f.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := left(); n != 0 {
		t.Errorf("%d slices are left", n)
	}
	f.work(t)
	if got := f.get(t, d.ID); got.Entered != 1000 {
		t.Errorf("%d entered", got.Entered)
	}
}
