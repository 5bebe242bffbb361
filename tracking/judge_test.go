package tracking_test

import (
	"net/http"
	"testing"
	"time"

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

func TestRulesAreRunAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.request("GET", w.urls.ClickURL(anna), browser, "")
	w.request("HEAD", w.urls.ClickURL(anna), browser, "")
	w.await(`SELECT count(*) FROM hit_followups`, "0")
	// As rules of another time judged them.
	w.exec(`UPDATE responses SET machine = NOT machine`)
	w.exec(`UPDATE responses SET detail = detail || '{"machine": "known program"}' WHERE machine`)
	if n, err := w.s.Reclassify(t.Context(), campaign, nil); err != nil || n != 2 {
		t.Fatalf("%d hits changed, error %v", n, err)
	}
	w.want(`SELECT count(*) FROM responses WHERE machine`, "1")
	w.want(`SELECT detail ->> 'machine' FROM responses WHERE machine`, "HEAD request")
	w.want(`SELECT count(*) FROM responses WHERE NOT machine AND detail ? 'machine'`, "0")
	if n, err := w.s.Reclassify(t.Context(), 0, nil); err != nil || n != 0 {
		t.Errorf("once more: %d hits changed, error %v", n, err)
	}
	if _, err := w.s.Reclassify(t.Context(), 99, nil); err == nil {
		t.Error("a campaign that does not exist is classified")
	}
}
