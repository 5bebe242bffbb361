package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Summary is what one run of the main job came to. Amounts are in US dollars.
type Summary struct {
	Customers   int64            `json:"customers"`
	SegmentSize int64            `json:"segment_size"`
	Audience    int64            `json:"audience"` // contacts that the journey came to; planned and excluded together
	Planned     int64            `json:"planned"`
	Excluded    map[string]int64 `json:"excluded"` // by reason
	Sent        map[string]int64 `json:"sent"`     // by medium
	States      map[string]int64 `json:"states"`   // planned touches by what became of them
	Unconfirmed int64            `json:"unconfirmed"`
	Responses   map[string]int64 `json:"responses"` // by kind
	Orders      int64            `json:"orders"`
	Revenue     json.Number      `json:"revenue"`
	Cost        json.Number      `json:"cost"`
	Margin      json.Number      `json:"margin"`
	ROI         *float64         `json:"roi"`
	State       string           `json:"state"` // of the campaign
	Seconds     float64          `json:"seconds"`
	Problems    []string         `json:"problems"` // why the figures do not reconcile; empty when they do
}

// Once sets up n customers, runs the spring campaign from draft to end and checks that its figures reconcile.
func (d *Demo) Once(ctx context.Context, n int) (Summary, error) {
	begun := time.Now()
	id, err := d.finished(ctx, n)
	if err != nil {
		return Summary{}, err
	}
	s, err := d.summary(ctx, id)
	s.Seconds = float64(time.Since(begun).Round(10*time.Millisecond)) / float64(time.Second)
	return s, err
}

func (d *Demo) summary(ctx context.Context, id int64) (Summary, error) {
	s := Summary{Sent: map[string]int64{"email": 0, "sms": 0, "post": 0, "calls": 0}, Problems: []string{}}
	if err := d.Pool.QueryRow(ctx, `SELECT count(*) FROM customers`).Scan(&s.Customers); err != nil {
		return s, err
	}
	r, err := d.Reports.Campaign(ctx, id)
	if err != nil {
		return s, err
	}
	s.SegmentSize, s.Planned, s.Excluded, s.Unconfirmed = r.Audience, r.Planned, r.Exclusions, r.Unconfirmed
	s.Orders, s.ROI, s.State = r.Orders, r.ROI, r.State
	s.Responses = map[string]int64{}
	for kind, k := range r.Kinds {
		s.Responses[kind] = k.Touches
	}
	s.Cost, s.Revenue, s.Margin = "0", "0", "0"
	s.Cost = json.Number(r.Cost.String())
	if r.Revenue != nil && r.Margin != nil {
		s.Revenue, s.Margin = json.Number(r.Revenue.String()), json.Number(r.Margin.String())
	}
	if err := d.count(ctx, id, &s); err != nil {
		return s, err
	}
	problems, err := d.Reports.Reconcile(ctx, id)
	if err != nil {
		return s, err
	}
	for _, p := range problems {
		s.Problems = append(s.Problems, fmt.Sprint(p))
	}
	return s, d.compare(ctx, id, &s)
}

// count reads the touches on a way of its own, not through the report.
func (d *Demo) count(ctx context.Context, id int64, s *Summary) error {
	rows, err := d.Pool.Query(ctx, `SELECT state, channel, count(*) FROM touches WHERE campaign_id = @id GROUP BY state, channel ORDER BY 1, 2`,
		pgx.NamedArgs{"id": id})
	if err != nil {
		return err
	}
	s.States = map[string]int64{}
	var state, channel string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&state, &channel, &n}, func() error {
		s.Audience += n
		if state != "excluded" {
			s.States[state] += n
		}
		if state == "sent" || state == "bounced" {
			s.Sent[channel] += n
		}
		return nil
	})
	return err
}

// compare holds the report's figures against counts of its own.
func (d *Demo) compare(ctx context.Context, id int64, s *Summary) error {
	problem := func(format string, args ...any) { s.Problems = append(s.Problems, fmt.Sprintf(format, args...)) }
	var states, excluded int64
	for _, n := range s.States {
		states += n
	}
	for _, n := range s.Excluded {
		excluded += n
	}
	if s.Planned != states {
		problem("planned is %d, the states add up to %d", s.Planned, states)
	}
	if s.Planned+excluded != s.Audience {
		problem("planned %d and excluded %d are not the audience of %d", s.Planned, excluded, s.Audience)
	}
	var ledger string
	var boxed, entered, mailed int64
	if err := d.Pool.QueryRow(ctx, `
		SELECT (SELECT coalesce(sum(amount), 0)::text FROM cost_entries WHERE campaign_id = @id),
		       (SELECT count(*) FROM sandbox_messages),
		       (SELECT count(*) FROM enrollments WHERE campaign_id = @id),
		       (SELECT count(*) FROM touches WHERE campaign_id = @id AND channel = 'email')`,
		pgx.NamedArgs{"id": id}).Scan(&ledger, &boxed, &entered, &mailed); err != nil {
		return err
	}
	if entered != mailed { // the mail is the first step: everybody comes by
		problem("%d customers entered, %d came to the first step", entered, mailed)
	}
	if trimZeros(ledger) != trimZeros(s.Cost.String()) {
		problem("the ledger adds up to %s, the report says %s", ledger, s.Cost)
	}
	if messages := s.Sent["email"] + s.Sent["sms"]; boxed != messages {
		problem("%d e-mails and text messages were sent, the sandbox received %d", messages, boxed)
	}
	if s.State != "finished" {
		problem("the campaign is %s, not finished", s.State)
	}
	return nil
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
