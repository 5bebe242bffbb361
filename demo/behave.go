package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"aldine/delivery/calls"
	"aldine/tracking"
)

// How people behave. The shares are in the range that the trade sees; the control group buys too, only less.
const (
	opens        = 0.34
	clicks       = 0.075
	scanners     = 0.03 // links fetched by a machine
	unsubscribes = 0.004
	phones       = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
	scanner      = "Mozilla/5.0 (compatible; LinkScanner/2.1; +https://scanner.example/bot)"
)

// readMails is the first three days after the mailing.
func (d *Demo) readMails(ctx context.Context, id int64) error {
	d.at(0, 5)
	if err := d.clickThrough(ctx, id, springCode, 1, 0.6); err != nil {
		return err
	}
	d.at(1, 3)
	return d.clickThrough(ctx, id, springCode, 1, 0.4)
}

var trackedLink = regexp.MustCompile(`/t/([cou])/[A-Za-z0-9_-]+`)

// clickThrough opens the mails of a campaign in the sandbox as people (and some machines) do: through the links in
// them. share is the part of the usual activity that happens now, reach the part of the mails looked at.
func (d *Demo) clickThrough(ctx context.Context, id int64, code string, reach, share float64) error {
	rows, err := d.Pool.Query(ctx, `
		SELECT m.body FROM touches t
		JOIN sandbox_messages m ON m.recipient = t.destination AND m.channel = 'email' AND m.received_at >= t.planned_at - interval '1 hour'
		WHERE t.campaign_id = @campaign AND t.channel = 'email' AND t.state = 'sent'
		ORDER BY t.customer_id`, pgx.NamedArgs{"campaign": id})
	if err != nil {
		return err
	}
	type hit struct{ method, path, agent string }
	var hits []hit
	var body []byte
	if _, err := pgx.ForEachRow(rows, []any{&body}, func() error {
		if d.rng.Float64() > reach {
			return nil
		}
		links := map[string][]string{}
		for _, m := range trackedLink.FindAllStringSubmatch(unfold(string(body)), -1) {
			links[m[1]] = append(links[m[1]], m[0])
		}
		add := func(p float64, method, kind, agent string) bool {
			if len(links[kind]) == 0 || d.rng.Float64() > p*share {
				return false
			}
			hits = append(hits, hit{method, links[kind][d.rng.IntN(len(links[kind]))], agent})
			return true
		}
		add(opens, http.MethodGet, "o", phones)
		if add(clicks, http.MethodGet, "c", phones) {
			add(0.3, http.MethodGet, "c", phones)
		}
		add(scanners, http.MethodGet, "c", scanner)
		add(unsubscribes, http.MethodPost, "u", phones)
		return nil
	}); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, h := range hits {
		group.Go(func() error { return d.visit(ctx, h.method, h.path, h.agent) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	d.Say("%d opens, clicks and unsubscribes of %s", len(hits), code)
	return d.settle(context.WithoutCancel(ctx))
}

// unfold undoes the folding of lines in a mail's source.
func unfold(body string) string {
	return strings.ReplaceAll(strings.ReplaceAll(body, "=\r\n", ""), "=3D", "=")
}

func (d *Demo) visit(ctx context.Context, method, path, agent string) error {
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader("List-Unsubscribe=One-Click")
	}
	req, err := http.NewRequestWithContext(ctx, method, d.BaseURL+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", agent)
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return fmt.Errorf("%s %s answered %s", method, path[:5], resp.Status)
	}
	return nil
}

// touched is a customer with what he or she last got from a campaign.
type touched struct {
	CustomerID int64
	Phone      string
	Keycode    string
}

func (d *Demo) touched(ctx context.Context, id int64, channel string) ([]touched, error) {
	rows, err := d.Pool.Query(ctx, `
		SELECT t.customer_id, coalesce(c.phone, '') AS phone, coalesce(t.keycode, '') AS keycode
		FROM touches t JOIN customers c USING (customer_id)
		WHERE t.campaign_id = @campaign AND t.channel = @channel AND t.state = 'sent' ORDER BY t.customer_id`,
		pgx.NamedArgs{"campaign": id, "channel": channel})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[touched])
}

// answerTexts is what comes back by SMS: STOP, the code, thanks.
func (d *Demo) answerTexts(ctx context.Context, id int64) error {
	d.at(3, 4)
	all, err := d.touched(ctx, id, "sms")
	if err != nil {
		return err
	}
	for i, t := range all {
		text := ""
		switch k := d.rng.IntN(100); {
		case k < 3:
			text = "STOP"
		case k < 9:
			text = "Please keep a box for me, " + t.Keycode
		case k < 12:
			text = "Thank you!"
		}
		if text == "" {
			continue
		}
		if _, err := d.Tracking.InboundSMS(ctx, t.Phone, "ALDERFINCH", text, fmt.Sprintf("demo-sms-%d", i)); err != nil {
			return err
		}
	}
	return d.settle(ctx)
}

// answerLetters is what the letters bring over two weeks: coupons by post, orders with the code.
func (d *Demo) answerLetters(ctx context.Context, id int64) error {
	all, err := d.touched(ctx, id, "post")
	if err != nil {
		return err
	}
	for wave, day := range []float64{7, 9, 12} {
		d.at(day, 2)
		var batch []tracking.Response
		for _, t := range all {
			switch k := d.rng.Float64(); {
			case k < 0.006:
				batch = append(batch, tracking.Response{Kind: tracking.KindCoupon, CustomerID: t.CustomerID, Coupon: t.Keycode,
					Ref: fmt.Sprintf("demo-coupon-%d-%d", wave, t.CustomerID), At: d.Clock.Now()})
			case k < 0.017:
				batch = append(batch, d.order(t.CustomerID, t.Keycode, "mail"))
			}
		}
		if err := d.record(ctx, batch); err != nil {
			return err
		}
	}
	d.Say("%d letters have been answered for two weeks", len(all))
	return nil
}

// firstOrders come on the third day.
func (d *Demo) firstOrders(ctx context.Context, id int64) error {
	d.at(2, 6)
	return d.mailOrders(ctx, id)
}

// mailOrders are the orders of those who clicked: some give the code, others just buy in the shop.
func (d *Demo) mailOrders(ctx context.Context, id int64) error {
	rows, err := d.Pool.Query(ctx, `
		SELECT DISTINCT t.customer_id, '' AS phone, coalesce(t.keycode, '') AS keycode
		FROM touches t JOIN responses r ON r.customer_id = t.customer_id AND r.campaign_id = t.campaign_id AND r.kind = 'click' AND NOT r.machine
		WHERE t.campaign_id = @campaign AND t.channel = 'email' AND t.state = 'sent' ORDER BY t.customer_id`,
		pgx.NamedArgs{"campaign": id})
	if err != nil {
		return err
	}
	clicked, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touched])
	if err != nil {
		return err
	}
	var batch []tracking.Response
	for _, t := range clicked {
		switch k := d.rng.IntN(100); {
		case k < 12:
			batch = append(batch, d.order(t.CustomerID, t.Keycode, "web"))
		case k < 20:
			batch = append(batch, d.order(t.CustomerID, "", "web"))
		}
	}
	return d.record(ctx, batch)
}

// lateOrders come without a code over the weeks, from the control group as well: some would have bought anyway.
func (d *Demo) lateOrders(ctx context.Context, id int64) error {
	for _, day := range []float64{38, 41, 44} {
		d.at(day, 3)
		rows, err := d.Pool.Query(ctx, `
			SELECT e.customer_id, '' AS phone, CASE WHEN c.is_control THEN 'control' ELSE '' END AS keycode
			FROM enrollments e JOIN cells c ON c.cell_id = e.cell_id
			WHERE e.campaign_id = @campaign ORDER BY e.customer_id`, pgx.NamedArgs{"campaign": id})
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touched])
		if err != nil {
			return err
		}
		var batch []tracking.Response
		for _, t := range all {
			p := 0.0045
			if t.Keycode != "control" {
				p = 0.0075
			}
			if d.rng.Float64() < p {
				batch = append(batch, d.order(t.CustomerID, "", "web"))
			}
		}
		if err := d.record(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// order draws an order of one or two products.
func (d *Demo) order(customerID int64, keycode, place string) tracking.Response {
	d.serial++
	r := tracking.Response{Kind: tracking.KindOrder, CustomerID: customerID, Keycode: keycode, OrderRef: fmt.Sprintf("AFG-%06d", d.serial),
		Currency: "USD", Place: place, At: d.Clock.Now()}
	total := 0
	for range 1 + d.rng.IntN(2) {
		item := products[d.rng.IntN(len(products))]
		total += item.cents
		r.Lines = append(r.Lines, tracking.Line{SKU: item.sku, Quantity: 1, Amount: cents(item.cents)})
	}
	r.Amount = cents(total)
	return r
}

func (d *Demo) record(ctx context.Context, batch []tracking.Response) error {
	for len(batch) > 0 {
		n := min(len(batch), 500)
		if _, err := d.Tracking.Record(ctx, "demo shop", batch[:n]); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return d.settle(ctx)
}

// workCalls lets two weeks pass and two agents work the call list until nothing on it is left to try.
func (d *Demo) workCalls(ctx context.Context, id int64) error {
	d.at(17, 2)
	if err := d.walk(ctx, id); err != nil {
		return err
	}
	lists, err := d.Delivery.Calls().Lists(ctx, id, 0, 10)
	if err != nil {
		return err
	}
	for _, list := range lists {
		worked := 0
		for shift, open := 0, int64(1); open > 0 && shift < 40; shift++ { // morning and afternoon, until all are done
			d.at(17+float64(shift/2), 2+float64(shift%2)*5)
			n, err := d.shift(ctx, list.ID)
			if err != nil {
				return err
			}
			worked += n
			now, err := d.Delivery.Calls().List(ctx, list.ID)
			if err != nil {
				return err
			}
			open = now.Ready + now.Waiting + now.Leased
		}
		d.Say("Agents made %d calls", worked)
	}
	return d.settle(ctx)
}

func (d *Demo) shift(ctx context.Context, listID int64) (made int, err error) {
	for {
		agent := []string{"kim@alderfinch.example", "lou@alderfinch.example"}[made%2]
		held, err := d.Delivery.Calls().Lease(ctx, listID, agent, 10)
		if err != nil || len(held) == 0 {
			return made, err
		}
		for _, call := range held {
			if _, err := d.Delivery.Calls().Outcome(ctx, call.ID, agent, d.outcome(call)); err != nil {
				return made, err
			}
			made++
		}
	}
}

func (d *Demo) outcome(call calls.Call) calls.Report {
	switch k := d.rng.IntN(100); {
	case k < 9:
		o := d.order(call.CustomerID, call.Keycode, "phone")
		return calls.Report{Outcome: "sale", Order: &calls.Order{Ref: o.OrderRef, Amount: o.Amount, Currency: "USD"}}
	case k < 16:
		return calls.Report{Outcome: "interested", Note: "wants the catalogue"}
	case k < 46:
		return calls.Report{Outcome: "refused"}
	case k < 49:
		return calls.Report{Outcome: "do_not_call"}
	case k < 53:
		back := d.Clock.Now().Add(24 * time.Hour)
		return calls.Report{Outcome: "callback", CallBackAt: &back, Note: "is in the garden"}
	case k < 58:
		return calls.Report{Outcome: "busy"}
	case k < 62:
		return calls.Report{Outcome: "wrong_number"}
	case k < 75:
		return calls.Report{Outcome: "machine"}
	}
	return calls.Report{Outcome: "no_answer"}
}
