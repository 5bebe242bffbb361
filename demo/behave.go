package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

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
	if err := d.clickThrough(ctx, id, springCode, 0.6); err != nil {
		return err
	}
	d.at(1, 3)
	return d.clickThrough(ctx, id, springCode, 0.4)
}

var trackedLink = regexp.MustCompile(`/t/([cou])/[A-Za-z0-9_-]+`)

// hidden is what follows the address of a link that no person sees.
const hidden = `" style="display:none"`

// clickThrough opens the mails of a campaign in the sandbox as people (and some machines) do: through the links in
// them. share is the part of the usual activity that happens now.
func (d *Demo) clickThrough(ctx context.Context, id int64, code string, share float64) error {
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
		links := map[string][]string{}
		text := unfold(string(body))
		for _, m := range trackedLink.FindAllStringSubmatchIndex(text, -1) {
			if kind := text[m[2]:m[3]]; kind != "c" || !strings.HasPrefix(text[m[1]:], hidden) {
				links[kind] = append(links[kind], text[m[0]:m[1]])
			}
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
