package proof_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/campaigns/rollup/rolluptest"
	"aldine/customers"
	"aldine/tracking"
)

// act is something that people or programs do; what services refuse is no error.
type act struct {
	name   string
	weight int
	do     func(w *world) error
}

func (w *world) respond(r tracking.Response) error {
	r.Ref = fmt.Sprintf("r%d", w.serial.Add(1))
	_, err := w.tracking.Record(w.ctx, "shop", []tracking.Response{r})
	return err
}

// lost is a response that belongs nowhere.
func lost() tracking.Response {
	return tracking.Response{Kind: tracking.KindReply, Keycode: tracking.NewKeycode(nil)}
}

func (w *world) keycode() string {
	var code string
	n := w.any(6)
	if err := w.pool.QueryRow(w.ctx, `SELECT keycode FROM keycodes ORDER BY keycode OFFSET @n % greatest(1, (SELECT count(*) FROM keycodes)) LIMIT 1`, pgx.NamedArgs{"n": n}).Scan(&code); err != nil {
		return ""
	}
	return code
}

func (w *world) order(sign string) error {
	r := tracking.Response{Kind: tracking.KindOrder, OrderRef: fmt.Sprintf("o%d", w.serial.Add(1)), CustomerID: w.customer(),
		Amount: decimal.MustParse(fmt.Sprintf("%s%d.50", sign, 1+w.any(90))), Currency: "EUR", At: w.now().Add(-time.Duration(w.any(48)) * time.Hour)}
	switch w.any(3) {
	case 0:
		r.Keycode = w.keycode()
	case 1:
		r.CampaignID = w.running()
	}
	return w.respond(r)
}

var acts = []act{
	{"launch", 2, (*world).launch},
	{"new person", 3, (*world).newPerson},
	{"time passes", 8, func(w *world) error { w.clock.Add(int64(time.Duration(1+w.any(20)) * time.Hour)); return w.wake() }},
	{"person hits", 14, func(w *world) error { return w.hit("GET", browser) }},
	{"program hits", 5, func(w *world) error { return w.hit("HEAD", "curl/8") }},
	{"order", 10, func(w *world) error { return w.order("") }},
	{"refund", 5, func(w *world) error { return w.order("-") }},
	{"shop's orders", 4, func(w *world) error {
		ref := fmt.Sprintf("s%d", w.any(20)) // some are changed again
		_, err := w.people.RecordOrders(w.ctx, []customers.Order{{Ref: ref, CustomerID: w.customer(), OrderedAt: w.now().Add(-time.Duration(w.any(99)) * time.Hour),
			Amount: decimal.MustParse(fmt.Sprintf("%d.25", w.any(60)-10)), Currency: "EUR", Keycode: w.keycode()}})
		return err
	}},
	{"imported orders", 2, func(w *world) error {
		file := "order_id,customer_id,ordered_at,amount,currency\n"
		for range 3 {
			file += fmt.Sprintf("s%d,X%d,%s,%d.00,EUR\n", w.any(20), 1+w.any(40), w.now().Add(-time.Hour).Format(time.RFC3339), 1+w.any(50))
		}
		im, err := w.people.StartImport(w.ctx, customers.StartImport{Kind: "orders", FileName: "o.csv", Body: strings.NewReader(file), Hold: true})
		if err == nil {
			_, err = w.people.RunImport(w.ctx, im.ID)
		}
		return err
	}},
	{"reply", 6, func(w *world) error {
		kinds := []tracking.Kind{tracking.KindReply, tracking.KindCall, tracking.KindVisit, tracking.KindCoupon, tracking.KindSurvey}
		return w.respond(tracking.Response{Kind: kinds[w.any(len(kinds))], Keycode: w.keycode(), CustomerID: w.customer() * int64(w.any(2))})
	}},
	{"bounce or complaint", 4, func(w *world) error {
		kinds := []tracking.Kind{tracking.KindBounce, tracking.KindComplaint, tracking.KindUnsubscribe}
		return w.respond(tracking.Response{Kind: kinds[w.any(3)], CustomerID: w.customer(), CampaignID: w.running(), Channel: "email", Hard: w.any(2) == 0})
	}},
	{"text", 2, func(w *world) error {
		_, err := w.tracking.InboundSMS(w.ctx, fmt.Sprintf("+1202555%04d", 1+w.any(40)), "", []string{"STOP", "yes please"}[w.any(2)], fmt.Sprintf("t%d", w.serial.Add(1)))
		return err
	}},
	{"merge", 5, func(w *world) error {
		a, b := w.customer(), w.customer()
		if a == b {
			return nil
		}
		_, err := w.duplicates.Merge(w.ctx, a, b, nil)
		return err
	}},
	{"undo", 3, func(w *world) error {
		var id string
		if w.pool.QueryRow(w.ctx, `SELECT merge_id::text FROM customer_merges WHERE undone_at IS NULL ORDER BY merge_id DESC LIMIT 1`).Scan(&id) != nil {
			return nil
		}
		_, err := w.duplicates.Undo(w.ctx, id)
		return err
	}},
	{"erase", 2, func(w *world) error { return w.people.Erase(w.ctx, w.customer()) }},
	{"edit", 3, func(w *world) error {
		_, err := w.people.Update(w.ctx, w.customer(), customers.Patch{"city": fmt.Sprintf("Town %d", w.any(9))})
		return err
	}},
	{"suppress", 1, func(w *world) error {
		_, err := w.people.Suppress(w.ctx, []customers.Suppression{{Scope: "customer", Value: fmt.Sprint(w.customer()), Reason: "asked"}})
		return err
	}},
	{"pause", 1, func(w *world) error { _, err := w.campaigns.Pause(w.ctx, w.running()); return err }},
	{"resume", 4, func(w *world) error { _, err := w.campaigns.Resume(w.ctx, w.running()); return err }},
	{"cancel", 1, func(w *world) error { _, err := w.campaigns.Cancel(w.ctx, w.running()); return err }},
	{"wrong code", 2, func(w *world) error { return w.respond(lost()) }},
	{"resolve", 2, func(w *world) error {
		page, err := w.tracking.Unmatched(w.ctx, "", 1)
		if err != nil || len(page.Responses) == 0 {
			return err
		}
		_, err = w.tracking.Resolve(w.ctx, page.Responses[0].ID, tracking.Resolution{CustomerID: w.customer(), Keycode: w.keycode()})
		return err
	}},
	{"other rules", 2, func(w *world) error { // as if they had judged some hits
		sql := `UPDATE responses SET machine = NOT machine, rules = NULL WHERE method = 'token' AND kind IN ('open', 'click') AND customer_id % 3 = 1 AND detail <> '{}'`
		_, err := w.pool.Exec(w.ctx, sql)
		rolluptest.Wrote(w.t, w.pool, sql)
		return err
	}},
	{"reclassify", 3, func(w *world) error {
		r, err := w.tracking.StartReclassification(w.ctx, tracking.NewReclassification{Every: w.any(2) == 0})
		for err == nil && r.Open() {
			r, err = w.tracking.ReclassifySome(w.ctx, r.ID)
		}
		return err
	}},
}

// wake lets jobs that wait for a time be looked at again: they go by the real clock.
func (w *world) wake() error {
	_, err := w.pool.Exec(w.ctx, `UPDATE river_job SET state = 'available', scheduled_at = now() WHERE state IN ('scheduled', 'retryable')`)
	return err
}
