package delivery_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
)

// A rented name is used in as many campaigns as its licence says, and not after the last day, which is the company's own.
func TestLicence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`INSERT INTO settings (name, value, updated_at) VALUES ('default_time_zone', '"Pacific/Auckland"', now())`, nil)
	s := w.step("email", "household", "0.5")
	people := make([]person, 6)
	for i := range people {
		people[i] = person{email: fmt.Sprintf("p%d@x.example", i), list: 2}
	}
	people[4].household, people[5].household = "9", "9"
	ids := w.add(s, people...)
	w.exec(`UPDATE customers SET rented = true, list_id = @list`, pgx.NamedArgs{"list": w.lists[1]})
	used := func(id int64, campaign int, state string) {
		w.exec(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, list_id, state, planned_at, updated_at)
			VALUES (@id, @campaign::bigint, 900 + @campaign::bigint, 'post', 1, @list, @state, @now, @now)`,
			pgx.NamedArgs{"id": id, "campaign": campaign, "list": w.lists[1], "state": state, "now": start})
	}
	used(ids[0], 50, "sent")
	used(ids[1], 50, "excluded") // was not used
	used(ids[2], 50, "planned")
	w.exec(`UPDATE customers SET rented = false WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[2]}) // has responded: of the house
	used(ids[4], 50, "bounced")
	w.spent(ids[4], "100", start)
	w.plan(s, 0, everybody)
	licence := fmt.Sprintf("licence of list:%d rented", w.lists[1])
	for i, want := range []string{licence, "planned", "planned", "planned", licence, "planned"} {
		w.want(fmt.Sprint("person ", i), w.reason(s, ids[i]), want)
	}
	// Further steps of this campaign are the same use.
	again := w.step("email", "person", "0.5")
	w.exec(`UPDATE enrollments SET state = 'active', step_id = @step`, pgx.NamedArgs{"step": again.ID})
	w.plan(again, 0, everybody)
	w.want("a second step", w.counts(again), "licence:2 planned:4")
	for i, tt := range []struct{ uses, mailBy, want string }{
		{"2", "", "planned:6"},
		{"2", "2026-03-04", "planned:6"}, // it is 4 in the morning of the 4th in Auckland
		{"2", "2026-03-03", "licence:5 planned:1"},
	} {
		w.exec(`UPDATE lists SET uses = @uses::text::int, mail_by = nullif(@by, '')::date WHERE name = 'rented'`, pgx.NamedArgs{"uses": tt.uses, "by": tt.mailBy})
		next := w.step("email", "person", "0.5")
		w.exec(`UPDATE enrollments SET state = 'active', step_id = @step`, pgx.NamedArgs{"step": next.ID})
		w.plan(next, 0, everybody)
		w.want(fmt.Sprint("case ", i), w.counts(next), tt.want)
	}
}

// What a do-not-call register has against a call counts when it is planned, and is no way to be the best of a home.
func TestRegisterReasons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("calls", "household", "1")
	ids := w.add(s, person{phone: "+12025550101", household: "1"}, person{phone: "+12025550102", household: "1"}, person{phone: "+442079460000", household: "2"})
	w.spent(ids[0], "10", start)
	register := w.id(`INSERT INTO registers (name, country, channel, max_age_days, scrubbed_on, generation, created_at)
		VALUES ('US list', 'US', 'calls', 31, '2026-02-20', 1, @now) RETURNING register_id`, pgx.NamedArgs{"now": start})
	w.exec(`INSERT INTO register_numbers (phone, register_id, generation) VALUES (12025550101, @id, 1)`, pgx.NamedArgs{"id": register})
	w.plan(s, 0, everybody)
	w.want("listed", w.reason(s, ids[0]), fmt.Sprintf("suppressed of register:%d US list, file of 2026-02-20", register))
	w.want("the next best", w.reason(s, ids[1]), "planned")
	w.want("another country", w.reason(s, ids[2]), "planned")
}
