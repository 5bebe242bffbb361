package tracking_test

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"aldine/internal/fault"
	"aldine/tracking"
)

func TestHiddenLinkGivesAProgramAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.request("GET", w.urls.PixelURL(anna), browser, "")
	w.request("GET", w.urls.ClickURL(anna), browser, "")
	w.want(`SELECT count(*) FROM responses WHERE NOT machine`, "2")
	other := tracking.Token{CampaignID: campaign, StepID: mailStep, CustomerID: 2, LinkID: linkPlain}
	w.request("GET", w.urls.ClickURL(other), browser, "")
	res, _ := w.request("GET", w.urls.TrapURL(anna), browser, "")
	if res.StatusCode != http.StatusNoContent {
		t.Errorf("the hidden link answers %d", res.StatusCode)
	}
	w.await(`SELECT count(*) FROM responses WHERE machine AND customer_id = 1`, "3")
	w.want(`SELECT machine FROM responses WHERE customer_id = 2`, "false")
	w.want(`SELECT DISTINCT detail ->> 'machine' FROM responses WHERE machine`, "hidden link")
}

func TestAllLinksAtOnceAreAProgram(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := anna
	second.LinkID = linkTags
	w.request("GET", w.urls.ClickURL(anna), browser, "")
	w.request("GET", w.urls.ClickURL(second), browser, "")
	w.await(`SELECT count(*) FROM responses WHERE machine`, "2")
	// A person takes a while, and may come back to the same link at once.
	pair := tracking.Token{CampaignID: campaign, StepID: mailStep, CustomerID: 2, LinkID: linkPlain}
	w.request("GET", w.urls.ClickURL(pair), browser, "")
	w.request("GET", w.urls.ClickURL(pair), browser, "")
	w.now = w.now.Add(5 * time.Second)
	pair.LinkID = linkTags
	w.request("GET", w.urls.ClickURL(pair), browser, "")
	w.await(`SELECT count(*) FROM hit_followups`, "0")
	w.want(`SELECT count(*) FROM responses WHERE machine AND customer_id = 2`, "0")
}

// again judges stored hits to the end of a run.
func (w *world) again(in tracking.NewReclassification) tracking.Reclassification {
	w.t.Helper()
	r, err := w.s.StartReclassification(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	for r.Open() {
		if r, err = w.s.ReclassifySome(w.t.Context(), r.ID); err != nil {
			w.t.Fatal(err)
		}
	}
	return r
}

func TestRulesAreRunAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.request("GET", w.urls.ClickURL(anna), browser, "")
	w.request("HEAD", w.urls.ClickURL(anna), browser, "")
	w.await(`SELECT count(*) FROM hit_followups`, "0")
	w.want(`SELECT DISTINCT rules FROM responses`, "1")
	if r := w.again(tracking.NewReclassification{}); r.Looked != 0 || r.Changed != 0 || r.State != tracking.Finished {
		t.Errorf("hits that today's rules judged: %+v", r)
	}
	// As rules of another time judged them.
	w.exec(`UPDATE responses SET machine = NOT machine, rules = NULL`)
	w.exec(`UPDATE responses SET detail = detail || '{"machine": "known program"}' WHERE machine`)
	if r := w.again(tracking.NewReclassification{CampaignID: campaign}); r.Looked != 2 || r.Changed != 2 {
		t.Fatalf("%+v", r)
	}
	w.want(`SELECT count(*) FROM responses WHERE machine`, "1")
	w.want(`SELECT detail ->> 'machine' FROM responses WHERE machine`, "HEAD request")
	w.want(`SELECT count(*) FROM responses WHERE NOT machine AND detail ? 'machine'`, "0")
	w.want(`SELECT DISTINCT rules FROM responses`, "1")
	if r := w.again(tracking.NewReclassification{Every: true}); r.Looked != 2 || r.Changed != 0 {
		t.Errorf("every hit once more: %+v", r)
	}
	if _, err := w.s.StartReclassification(t.Context(), tracking.NewReclassification{CampaignID: 99}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a campaign that does not exist: %v", err)
	}
}

func TestReclassificationGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// More customers than one step looks through, two hits each by rules without a number; one of each is a program's.
	w.exec(`INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, channel, method, machine, detail)
		SELECT 1000 + 3 * i, gen_random_uuid(), 'open', @now, @now, 1 + i % 2, 11, 'email', 'token', false, jsonb_build_object('user_agent', a)
		FROM generate_series(1, 4000) i, unnest(ARRAY[@browser::text, 'curl/8.0']) a`, "browser", browser)
	ctx := t.Context()
	first, err := w.s.StartReclassification(ctx, tracking.NewReclassification{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.StartReclassification(ctx, tracking.NewReclassification{CampaignID: 2}); !fault.Is(err, fault.Conflict) {
		t.Errorf("two at once: %v", err)
	}
	some, err := w.s.ReclassifySome(ctx, first.ID)
	if err != nil || some.State != tracking.Running || some.Looked == 0 || some.Looked >= 8000 || some.Changed != some.Looked/2 || some.Reached >= some.Last {
		t.Fatalf("one step: %+v, %v", some, err)
	}
	w.want(`SELECT count(*) FROM responses WHERE rules = 1`, strconv.FormatInt(some.Looked, 10))
	if err := w.s.CancelReclassification(ctx, first.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.s.CancelReclassification(ctx, first.ID); !fault.Is(err, fault.Conflict) {
		t.Errorf("cancelled twice: %v", err)
	}
	if r, err := w.s.ReclassifySome(ctx, first.ID); err != nil || r.State != tracking.Cancelled || r.Looked != some.Looked {
		t.Errorf("a cancelled run went on: %+v, %v", r, err)
	}
	// Two processes at once, and one more that dies in the middle of a step.
	second, err := w.s.StartReclassification(ctx, tracking.NewReclassification{})
	if err != nil {
		t.Fatal(err)
	}
	dying, die := context.WithTimeout(ctx, 5*time.Millisecond)
	defer die()
	_, _ = w.s.ReclassifySome(dying, second.ID)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			for r := second; r.Open(); {
				var err error
				if r, err = w.s.ReclassifySome(ctx, second.ID); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	both.Wait()
	end, err := w.s.Reclassification(ctx, second.ID)
	if err != nil || end.State != tracking.Finished || end.Looked+some.Looked != 8000 || end.Changed+some.Changed != 4000 || end.Reached != end.Last || end.FinishedAt == nil {
		t.Errorf("at the end: %+v, %v", end, err)
	}
	w.want(`SELECT count(*) FROM responses WHERE machine AND rules = 1`, "4000")
	list, err := w.s.Reclassifications(ctx, 0, 10)
	if err != nil || len(list) != 2 || list[0].ID != second.ID {
		t.Errorf("listed: %+v, %v", list, err)
	}
	if _, err := w.s.Reclassification(ctx, 99); !fault.Is(err, fault.NotFound) {
		t.Errorf("none: %v", err)
	}
}
