package campaigns

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/campaigns/content"
	"aldine/campaigns/journey"
	"aldine/customers"
	"aldine/internal/fault"
	"aldine/internal/id"
	"aldine/internal/queue"
	"aldine/tracking"
)

const day = 24 * time.Hour

func TestThirtyDaysInASecond(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 1000)
	f.template(t, "Mail", content.Email)
	f.template(t, "Text", content.SMS)
	f.template(t, "Letter", content.Post)
	f.template(t, "Script", content.Calls)
	d := f.launch(t, Input{Cells: []CellInput{{"test", *amount("90"), false}, {"hold", *amount("10"), true}}, Journey: steps(
		`{"key":"m1","type":"email","template":"Mail","unit_cost":"0.01","next":"w1"}`,
		`{"key":"w1","type":"wait","until_response":"click","timeout":"7d","next":"b1"}`,
		`{"key":"b1","type":"branch","if":"clicked(\"this\")","then":"t1","else":"w2"}`,
		`{"key":"t1","type":"sms","template":"Text","next":"g"}`,
		`{"key":"w2","type":"wait","for":"2d","next":"s"}`,
		`{"key":"s","type":"split","arms":[{"weight":1,"next":"l"},{"weight":1,"next":"c"}]}`,
		`{"key":"l","type":"post","template":"Letter","unit_cost":"0.70","next":"g"}`,
		`{"key":"c","type":"calls","template":"Script","unit_cost":"2","next":"w3"}`,
		`{"key":"w3","type":"wait","until":"2026-11-30T09:00:00Z","next":"g"}`,
		`{"key":"g","type":"goal","if":"orders_count >= 3","next":"end"}`,
		`{"key":"end","type":"end"}`)})
	f.work(t)
	d = f.get(t, d.ID)
	if d.Entered != 1000 || d.Audience == nil || *d.Audience != 1000 || d.EntryDoneAt == nil || d.Enrollments["active"] != 1000 || d.Touches.Total != 1000 || d.Steps[1].Standing != 1000 {
		t.Fatalf("after entry: %+v", d)
	}
	if hold := one[int64](t, f, `SELECT count(*) FROM enrollments e JOIN cells c USING (cell_id) WHERE c.is_control`); d.Touches.ByReason["control"] != hold || hold < 60 || hold > 140 {
		t.Errorf("%d in the control cell, excluded %v", hold, d.Touches.ByReason)
	}
	// A job will look again in seven days, once.
	var at time.Time
	if err := f.pool.QueryRow(t.Context(), `SELECT scheduled_at FROM river_job WHERE kind = 'journey_advance'`).Scan(&at); err != nil || time.Until(at) < 7*day-time.Hour || time.Until(at) > 7*day {
		t.Errorf("next look at %v, %v", at, err)
	}
	f.send(t, d.ID)

	// Some click on the third day: they go on at once, the others wait.
	f.move(3 * day)
	f.exec(t, `INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, method, machine)
		SELECT customer_id, gen_random_uuid(), CASE WHEN customer_id % 2 = 0 THEN 'open' ELSE 'click' END, @now, @now, @id, 'token', customer_id % 5 = 1
		FROM enrollments WHERE customer_id <= 100`, pgx.NamedArgs{"id": d.ID, "now": f.time()})
	ids := make([]int64, 100)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	if err := f.engine.Wake(t.Context(), tracking.RecordedArgs{CampaignID: d.ID, CustomerIDs: ids}); err != nil {
		t.Fatal(err)
	}
	d = f.get(t, d.ID)
	if d.Steps[1].Standing != 960 { // 50 odd ones, 10 of them machines
		t.Errorf("%d still wait, want 960", d.Steps[1].Standing)
	}
	if n := one[int](t, f, `SELECT count(*) FROM touches t JOIN steps s USING (step_id) WHERE s.key = 't1'`); n != 40 {
		t.Errorf("%d texts, want 40", n)
	}
	for range 27 {
		f.pass(t, d.ID, day)
		f.send(t, d.ID)
	}
	d = f.get(t, d.ID)
	want := one[int64](t, f, `SELECT count(*) FROM customers WHERE orders_count >= 3`)
	if d.State != Finished || d.Enrollments["converted"] != want || d.Enrollments["completed"] != 1000-want || d.FinishedAt == nil {
		t.Errorf("after thirty days: %s %v, want %d converted", d.State, d.Enrollments, want)
	}
	var letters, calls int
	if err := f.pool.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE s.key = 'l'), count(*) FILTER (WHERE s.key = 'c') FROM touches t JOIN steps s USING (step_id)`).Scan(&letters, &calls); err != nil {
		t.Fatal(err)
	}
	if letters+calls != 960 || letters < 400 || calls < 400 {
		t.Errorf("%d letters, %d calls", letters, calls)
	}
}

func TestSlicesJoinWithoutGapOrOverlap(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 25_000)
	f.exec(t, `DELETE FROM customers WHERE customer_id BETWEEN 9990 AND 10010 OR customer_id % 7 = 0`)
	f.template(t, "Mail", content.Email)
	d := f.create(t, Input{Journey: oneMail, Expression: "orders_count != 1"})
	if _, err := f.Approve(t.Context(), d.ID, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Launch(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	// The first slice twice: a job that is worked again changes nothing.
	for range 2 {
		if err := f.engine.Enter(t.Context(), journey.EntryArgs{CampaignID: d.ID}); err != nil {
			t.Fatal(err)
		}
	}
	if n := one[int](t, f, `SELECT count(*) FROM journey_slices`); n != 1 {
		t.Fatalf("%d slices, want 1", n)
	}
	if got := f.get(t, d.ID); got.Audience != nil || got.Entered == 0 {
		t.Errorf("progress: %d entered, audience %v", got.Entered, got.Audience)
	}
	f.work(t)
	if bad := one[int](t, f, `SELECT count(*) FROM (SELECT first_id, last_id, size, lag(last_id) OVER (ORDER BY first_id) AS before FROM journey_slices) s
		WHERE first_id <= before OR size > 10000 OR size <> (SELECT count(*) FROM enrollments e WHERE e.customer_id BETWEEN first_id AND last_id)`); bad != 0 {
		t.Errorf("%d slices overlap or miscount", bad)
	}
	want := one[int64](t, f, `SELECT count(*) FROM customers WHERE orders_count <> 1`)
	d = f.get(t, d.ID)
	if *d.Audience != want || d.Touches.Total != want || d.Enrollments["completed"] != want {
		t.Errorf("audience %d, touches %d, enrollments %v; want %d", *d.Audience, d.Touches.Total, d.Enrollments, want)
	}
	if n := one[int64](t, f, `SELECT count(*) FROM touches WHERE state = 'planned' AND keycode IS NULL`); n != 0 {
		t.Errorf("%d touches without keycode", n)
	}
}

func TestListsThatComeAfterTheApprovalGetKeycodes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 30)
	f.template(t, "Mail", content.Email)
	d := f.create(t, Input{Journey: oneMail})
	if _, err := f.Approve(t.Context(), d.ID, 0); err != nil {
		t.Fatal(err)
	}
	f.exec(t, `INSERT INTO lists (list_id, name, kind, created_at) OVERRIDING SYSTEM VALUE VALUES (9, 'Late', 'house', now())`)
	f.exec(t, `UPDATE customers SET list_id = 9 WHERE customer_id < 5`)
	if _, err := f.Launch(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	f.work(t)
	if n := one[int64](t, f, `SELECT count(*) FROM touches WHERE list_id = 9 AND keycode IS NOT NULL`); n != 4 {
		t.Errorf("%d touches of the late list have a keycode, want 4", n)
	}
}

func TestCellsAndSplitsAreStableAndIndependent(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 20_000)
	f.template(t, "Mail", content.Email)
	f.template(t, "Text", content.SMS)
	in := Input{Cells: []CellInput{{"a", *amount("45"), false}, {"b", *amount("45"), false}, {"hold", *amount("10"), true}}, Journey: steps(
		`{"key":"s","type":"split","arms":[{"weight":30,"next":"m"},{"weight":70,"next":"t"}]}`,
		`{"key":"m","type":"email","template":"Mail"}`, `{"key":"t","type":"sms","template":"Text"}`)}
	d := f.launch(t, in)
	f.work(t)
	// Shares within four standard deviations, and the split the same in each cell.
	for query, want := range map[string]float64{
		`SELECT avg((c.name = 'a')::int)::float FROM enrollments e JOIN cells c USING (cell_id)`:                        0.45,
		`SELECT avg(c.is_control::int)::float FROM enrollments e JOIN cells c USING (cell_id)`:                          0.10,
		`SELECT avg((channel = 'email')::int)::float FROM touches`:                                                      0.30,
		`SELECT avg((channel = 'email')::int)::float FROM touches t JOIN cells c USING (cell_id) WHERE c.name = 'a'`:    0.30,
		`SELECT avg((channel = 'email')::int)::float FROM touches t JOIN cells c USING (cell_id) WHERE c.name = 'hold'`: 0.30,
	} {
		if got := one[float64](t, f, query); got < want-0.045 || got > want+0.045 {
			t.Errorf("%s: %.3f, want %.2f", query, got, want)
		}
	}
	// Walked again from the start, everybody takes the same arm.
	before := one[string](t, f, `SELECT md5(string_agg(customer_id || channel, ',' ORDER BY customer_id)) FROM touches`)
	f.exec(t, `DELETE FROM touches`)
	f.exec(t, `UPDATE enrollments SET state = 'active', step_id = (SELECT step_id FROM steps WHERE key = 's'), due_at = @now`, pgx.NamedArgs{"now": f.time()})
	f.pass(t, d.ID, 0)
	if after := one[string](t, f, `SELECT md5(string_agg(customer_id || channel, ',' ORDER BY customer_id)) FROM touches`); after != before {
		t.Error("the split changed its mind")
	}
}

func TestPauseHoldsAndResumeGoesOn(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 12_000)
	f.template(t, "Mail", content.Email)
	d := f.launch(t, Input{Journey: steps(`{"key":"w","type":"wait","for":"1d","next":"m"}`, `{"key":"m","type":"email","template":"Mail"}`)})
	if err := f.engine.Enter(t.Context(), journey.EntryArgs{CampaignID: d.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Pause(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	f.work(t) // all jobs come and find it paused
	f.pass(t, d.ID, 2*day)
	d = f.get(t, d.ID)
	if d.State != Paused || d.Entered != 1_000 || d.Touches.Total != 0 || d.EntryDoneAt != nil {
		t.Fatalf("while paused: %+v", d)
	}
	if _, err := f.Pause(t.Context(), d.ID); !fault.Is(err, fault.Conflict) {
		t.Errorf("paused twice: %v", err)
	}
	if _, err := f.Resume(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	f.work(t)
	d = f.get(t, d.ID)
	if d.Entered != 12_000 || *d.Audience != 12_000 || d.Touches.Total != 1_000 {
		t.Errorf("resumed: %d entered, %d touches", d.Entered, d.Touches.Total)
	}
	if n := one[int](t, f, `SELECT count(*) FROM river_job WHERE kind = 'campaign_resumed'`); n != 1 {
		t.Errorf("%d jobs tell of it", n)
	}
	f.pass(t, d.ID, day)
	if d = f.get(t, d.ID); d.Touches.Total != 12_000 || d.Enrollments["completed"] != 12_000 {
		t.Errorf("a day later: %d touches, %v", d.Touches.Total, d.Enrollments)
	}
}

func TestPokesDoNotMultiplyJobs(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 100)
	d := f.launch(t, Input{Journey: steps(`{"key":"w","type":"wait","for":"10d"}`)})
	f.work(t)
	for range 5 {
		f.pass(t, d.ID, time.Hour)
	}
	if n := one[int](t, f, `SELECT count(*) FROM river_job WHERE kind = 'journey_advance'`); n != 1 {
		t.Errorf("%d jobs wait for the slice, want 1", n)
	}
}

// A job that comes before its time by the engine's clock, because another machine's clock is ahead, puts itself off.
func TestAJobThatComesTooEarlyPutsItselfOff(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 100)
	d := f.launch(t, Input{Journey: steps(`{"key":"w","type":"wait","for":"10d"}`)})
	f.work(t)
	f.move(10*day - time.Second)
	waiting := one[[]byte](t, f, `DELETE FROM river_job WHERE kind = 'journey_advance' RETURNING args`)
	if err := f.engine.Advance(t.Context(), decode[journey.AdvanceArgs](t, waiting)); err != nil {
		t.Fatal(err)
	}
	f.move(time.Second)
	f.work(t)
	if got := f.get(t, d.ID).Enrollments; got["completed"] != 100 {
		t.Errorf("%v", got)
	}
}

// An answer to the first message does not end the wait for one to the second.
func TestAWaitIsForAnAnswerToTheLastMessage(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 20)
	f.template(t, "Mail", content.Email)
	d := f.launch(t, Input{Journey: steps(
		`{"key":"m1","type":"email","template":"Mail","next":"w1"}`, `{"key":"w1","type":"wait","until_response":"click","timeout":"3d","next":"m2"}`,
		`{"key":"m2","type":"email","template":"Mail","next":"w2"}`, `{"key":"w2","type":"wait","until_response":"any","timeout":"3d"}`)})
	respond := func(customer int, kind string) {
		t.Helper()
		f.move(time.Hour)
		f.exec(t, `INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, method) VALUES (@c, @r, @kind, @now, @now, @id, 'token')`,
			pgx.NamedArgs{"c": customer, "kind": kind, "r": id.New(), "now": f.time(), "id": d.ID})
		if err := f.engine.Wake(t.Context(), tracking.RecordedArgs{CampaignID: d.ID, CustomerIDs: []int64{int64(customer)}}); err != nil {
			t.Fatal(err)
		}
	}
	f.work(t)
	f.send(t, d.ID)
	respond(8, "open") // not what is waited for
	respond(7, "click")
	f.pass(t, d.ID, time.Hour)
	if d = f.get(t, d.ID); d.Touches.Total != 21 || d.Steps[3].Standing != 1 {
		t.Fatalf("after the click on the first mail: %d touches, %d wait for the second click", d.Touches.Total, d.Steps[3].Standing)
	}
	respond(7, "bounce") // no answer at all
	if d = f.get(t, d.ID); d.Steps[3].Standing != 1 {
		t.Errorf("a bounce ended the wait: %v", d.Enrollments)
	}
	respond(7, "reply")
	if d = f.get(t, d.ID); d.Enrollments["completed"] != 1 || d.Enrollments["active"] != 19 {
		t.Errorf("after the answer to the second: %v", d.Enrollments)
	}
}

// A job that failed too often is given up by the queue; what it was to do is not.
func TestCampaignsCarryOnWithoutTheirJobs(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 12_000)
	f.template(t, "Mail", content.Email)
	d := f.launch(t, Input{Journey: steps(`{"key":"w","type":"wait","for":"1d","next":"m"}`, `{"key":"m","type":"email","template":"Mail"}`)})
	sweep := func() {
		t.Helper()
		if err := f.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	jobs := func(kind string) int {
		t.Helper()
		return one[int](t, f, `SELECT count(*) FROM river_job WHERE kind = $1 AND state <> 'discarded'`, kind)
	}
	sweep()
	if n := jobs("journey_entry"); n != 1 {
		t.Errorf("%d entries while the first one waits", n)
	}
	f.exec(t, `UPDATE river_job SET state = 'discarded', finalized_at = now()`)
	sweep()
	sweep()
	if n := jobs("journey_entry"); n != 1 {
		t.Fatalf("%d entries after the first was given up", n)
	}
	f.work(t)
	slices := one[int](t, f, `SELECT count(*) FROM journey_slices`)
	f.move(day)
	sweep()
	if n := jobs("journey_advance"); n != slices { // scheduled
		t.Fatalf("%d jobs wait", n)
	}
	f.exec(t, `UPDATE river_job SET state = 'discarded', finalized_at = now() WHERE kind = 'journey_advance'`)
	f.move(time.Minute)
	sweep()
	if n := jobs("journey_advance"); n != 0 {
		t.Fatalf("%d jobs before it is late", n)
	}
	f.move(time.Hour)
	sweep()
	sweep()
	if n := jobs("journey_advance"); n != slices {
		t.Fatalf("%d jobs, want one for each slice", n)
	}
	f.work(t)
	if d = f.get(t, d.ID); d.Touches.Total != 12_000 || d.Enrollments["completed"] != 12_000 {
		t.Fatalf("%d touches, %v", d.Touches.Total, d.Enrollments)
	}
	sweep()
	sweep()
	if n := jobs("campaign_resumed"); n != 1 { // this test's planner makes no jobs that send
		t.Errorf("%d jobs look for planned touches", n)
	}
	f.send(t, d.ID)
	f.exec(t, `DELETE FROM river_job`)
	sweep()
	if n := jobs("campaign_resumed") + jobs("journey_advance"); n != 0 || f.get(t, d.ID).State != Finished {
		t.Errorf("%d jobs for a campaign that is over, %s", n, f.get(t, d.ID).State)
	}
}

func TestErasedCustomersWalkOn(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 20)
	d := f.launch(t, Input{Journey: steps(`{"key":"w","type":"wait","for":"1d","next":"g"}`, `{"key":"g","type":"goal","if":"orders_count >= 0","next":"b"}`, `{"key":"b","type":"branch","if":"true"}`)})
	f.work(t)
	f.exec(t, `DELETE FROM customers WHERE customer_id = 3`)
	f.pass(t, d.ID, day)
	if got := f.get(t, d.ID).Enrollments; got["converted"] != 19 || got["completed"] != 1 {
		t.Errorf("%v", got)
	}
}

// Whatever the journey, everybody who entered comes out, and nobody is planned twice at a step.
func TestEverybodyEndsSomewhere(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 300)
	f.template(t, "Mail", content.Email)
	f.exec(t, `INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, method)
		SELECT customer_id, gen_random_uuid(), 'click', @now, @now, g, 'token' FROM customers, generate_series(1, 30) g WHERE customer_id % 4 = 0`, pgx.NamedArgs{"now": f.time()})
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := f.launch(t, Input{Name: fmt.Sprintf("Random %d", seed), Journey: randomJourney(r)})
		f.work(t)
		for range 60 {
			if f.get(t, d.ID).State == Finished {
				break
			}
			f.send(t, d.ID)
			f.pass(t, d.ID, day)
		}
		d = f.get(t, d.ID)
		if d.State != Finished || d.Enrollments["active"] != 0 || d.Enrollments["completed"]+d.Enrollments["converted"] != 300 {
			t.Fatalf("seed %d: %s %v\n%+v", seed, d.State, d.Enrollments, d.Journey)
		}
	}
}

func randomJourney(r *rand.Rand) []byte {
	n := 2 + r.IntN(9)
	conditions := []string{`orders_count >= 2`, `clicked(\"this\")`, `orders_count == 1 or not clicked(\"this\")`, `false`}
	var out []string
	next := func(i int) string { // a later step or the end; the following one is always led to by its forerunner
		if j := i + 1 + r.IntN(n-i); j < n {
			return fmt.Sprintf("k%d", j)
		}
		return ""
	}
	for i := range n {
		follow := fmt.Sprintf("k%d", i+1)
		if i == n-1 {
			follow = ""
		}
		key, condition := fmt.Sprintf("k%d", i), conditions[r.IntN(len(conditions))]
		switch r.IntN(6) {
		case 0:
			out = append(out, fmt.Sprintf(`{"key":%q,"type":"email","template":"Mail","next":%q}`, key, follow))
		case 1:
			out = append(out, fmt.Sprintf(`{"key":%q,"type":"wait","for":"%dd","next":%q}`, key, 1+r.IntN(3), follow))
		case 2:
			out = append(out, fmt.Sprintf(`{"key":%q,"type":"wait","until_response":"click","timeout":"2d","next":%q}`, key, follow))
		case 3:
			out = append(out, fmt.Sprintf(`{"key":%q,"type":"branch","if":"%s","then":%q,"else":%q}`, key, condition, follow, next(i)))
		case 4:
			out = append(out, fmt.Sprintf(`{"key":%q,"type":"split","arms":[{"weight":1,"next":%q},{"weight":3,"next":%q}]}`, key, follow, next(i)))
		case 5:
			out = append(out, fmt.Sprintf(`{"key":%q,"type":"goal","if":"%s","next":%q}`, key, condition, follow))
		}
	}
	return []byte(`{"steps":[` + strings.Join(out, ",") + `]}`)
}

// The queue itself, beside the hand that works jobs in the other tests.
func TestJobsRunThroughTheQueue(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 11_000)
	f.template(t, "Mail", content.Email)
	workers := river.NewWorkers()
	f.Register(workers, planner{})
	client, err := queue.NewWorking(f.pool, workers, "test", slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer client.Stop(t.Context())
	defer func() {
		if t.Failed() {
			t.Log(one[string](t, f, `SELECT COALESCE(string_agg(kind || ' ' || state || ' ' || attempt || ' ' || scheduled_at || ' ' || args || COALESCE(errors::text, ''), E'\n'), '') FROM river_job WHERE state <> 'completed'`))
		}
	}()
	d := f.launch(t, Input{Journey: steps(`{"key":"w","type":"wait","until_response":"click","timeout":"9d","next":"m"}`, `{"key":"m","type":"email","template":"Mail"}`)})
	until(t, func() bool { got := f.get(t, d.ID); return got.EntryDoneAt != nil })
	f.exec(t, `INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, method) VALUES (7, @r, 'click', @now, @now, @id, 'token')`,
		pgx.NamedArgs{"r": id.New(), "now": f.time(), "id": d.ID})
	if _, err := client.Insert(t.Context(), tracking.RecordedArgs{CampaignID: d.ID, CustomerIDs: []int64{7}}, nil); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return f.get(t, d.ID).Touches.Total == 1 })
	f.move(10 * day)
	if err := f.engine.Poke(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return f.get(t, d.ID).Touches.Total == 11_000 })
	f.send(t, d.ID)
	if err := pgx.BeginFunc(t.Context(), f.pool, func(tx pgx.Tx) error { return EnqueueFinishCheckTx(t.Context(), tx, client, d.ID) }); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return f.get(t, d.ID).State == Finished })
}

func until(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatal("it did not happen within a minute")
}

func BenchmarkWalk(b *testing.B) {
	f := setup(b)
	f.people(b, 25_000)
	f.template(b, "Mail", content.Email)
	var moved int64
	for b.Loop() {
		d := f.launch(b, Input{Journey: steps(`{"key":"b","type":"branch","if":"orders_count >= 2","then":"s","else":"s"}`,
			`{"key":"s","type":"split","arms":[{"weight":1,"next":"m"},{"weight":1,"next":"m"}]}`, `{"key":"m","type":"email","template":"Mail","next":"w"}`,
			`{"key":"w","type":"wait","for":"1d","next":"g"}`, `{"key":"g","type":"goal","if":"orders_count >= 4"}`)})
		f.work(b)
		f.pass(b, d.ID, day)
		moved += 5 * 25_000
	}
	rate := float64(moved) / b.Elapsed().Seconds()
	// The floor: as many customers moved on by a statement that asks nothing.
	at := time.Now()
	tag, err := f.pool.Exec(b.Context(), `UPDATE enrollments SET due_at = due_at + interval '1 second', updated_at = updated_at + interval '1 second'`)
	if err != nil {
		b.Fatal(err)
	}
	floor := float64(tag.RowsAffected()) / time.Since(at).Seconds()
	b.ReportMetric(rate, "steps/s")
	b.ReportMetric(floor, "floor-steps/s")
	b.ReportMetric(rate/floor, "ratio")
}

// Who clicks just before the wait is over goes the way of those who clicked, though the click is stored only after that.
func TestTheLastClickBeforeTheWaitIsOver(t *testing.T) {
	t.Parallel()
	f, ctx := setup(t), t.Context()
	f.people(t, 2)
	f.template(t, "Mail", content.Email)
	f.template(t, "Text", content.SMS)
	d := f.launch(t, Input{Journey: steps(
		`{"key":"m1","type":"email","template":"Mail","next":"w1"}`, `{"key":"w1","type":"wait","for":"7d","next":"b1"}`,
		`{"key":"b1","type":"branch","if":"clicked(\"this\")","then":"t1","else":"end"}`, `{"key":"t1","type":"sms","template":"Text","next":"end"}`, `{"key":"end","type":"end"}`)})
	f.work(t)
	f.send(t, d.ID)
	signer := tracking.NewSigner([]byte("0123456789abcdef0123456789abcdef"))
	hits := tracking.New(tracking.Deps{Pool: f.pool, Jobs: f.jobs, Settings: f.settings, Customers: f.customers, Signer: signer, Now: f.time})
	defer hits.Close(context.Background())
	f.SettleWith(hits.SettleSoon)
	f.exec(t, `INSERT INTO links (link_id, campaign_id, url) VALUES (21, @id, 'https://shop.example.org/')`, pgx.NamedArgs{"id": d.ID})
	f.move(7*day - time.Second)
	tx, err := f.pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(ctx)
	if err := customers.HoldHitsTx(ctx, tx); err != nil {
		t.Fatal(err)
	}
	step := one[int64](t, f, `SELECT step_id FROM steps WHERE key = 'm1'`)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", tracking.URLs{Signer: signer}.ClickURL(tracking.Token{CampaignID: d.ID, StepID: step, CustomerID: 1, LinkID: 21}), nil)
	r.Header.Set("User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36")
	if hits.Handler().ServeHTTP(w, r); w.Code != 302 {
		t.Fatal(w.Code)
	}
	f.move(time.Second)
	go func() { time.Sleep(300 * time.Millisecond); tx.Commit(context.Background()) }()
	var a journey.AdvanceArgs
	if err := f.pool.QueryRow(ctx, `SELECT campaign_id, first_id, last_id FROM journey_slices`).Scan(&a.CampaignID, &a.FirstID, &a.LastID); err != nil {
		t.Fatal(err)
	}
	if err := f.engine.AdvanceDue(ctx, a); err != nil {
		t.Fatal(err)
	}
	if n := one[int](t, f, `SELECT count(*) FROM touches t JOIN steps s USING (step_id) WHERE s.key = 't1'`); n != 1 {
		t.Errorf("%d texts to the one who clicked", n)
	}
}
