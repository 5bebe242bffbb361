package calls

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/internal/audit"
	"aldine/internal/csvsafe"
	"aldine/internal/fault"
	"aldine/internal/settings"
)

// show gives leased calls with what agents need to see, in the order of ids.
func (s *Service) show(ctx context.Context, h held, v settings.Values, ids []int64) ([]Call, error) {
	rows, err := s.d.Pool.Query(ctx, `
		SELECT k.call_id, k.call_list_id, k.campaign_id, k.step_id, k.customer_id, k.phone, coalesce(k.time_zone, ''), k.due_at, k.callback,
			coalesce(k.leased_until, k.due_at), k.attempts, k.note, coalesce(t.keycode, '')
		FROM calls k LEFT JOIN touches t ON t.customer_id = k.customer_id AND t.campaign_id = k.campaign_id AND t.step_id = k.step_id
		WHERE k.call_id = ANY(@ids) ORDER BY array_position(@ids::bigint[], k.call_id)`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, err
	}
	calls, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Call, err error) {
		err = row.Scan(&c.ID, &c.ListID, &c.CampaignID, &c.StepID, &c.CustomerID, &c.Phone, &c.TimeZone, &c.DueAt, &c.Callback,
			&c.LeasedUntil, &c.Attempts, &c.Note, &c.Keycode)
		return c, err
	})
	if err != nil {
		return nil, err
	}
	people := make([]int64, len(calls))
	for i, c := range calls {
		people[i] = c.CustomerID
	}
	profiles, err := customers.Profiles(ctx, s.d.Pool, people)
	if err != nil {
		return nil, err
	}
	history, err := s.history(ctx, people, ids)
	if err != nil {
		return nil, err
	}
	var script *content.Compiled
	if h.TemplateID != 0 {
		if script, err = s.d.Templates.Compiled(ctx, h.TemplateID, int(h.TemplateVersion)); err != nil {
			return nil, err
		}
	}
	now := s.d.Now()
	for i := range calls {
		c := &calls[i]
		p := profiles[c.CustomerID]
		c.Name, c.Customer, c.History = p.Name(), facts(p), history[c.ID]
		c.LocalTime = localTime(c.TimeZone, now)
		if script == nil {
			continue
		}
		out, err := script.Render(content.Vars{
			Customer: p.Vars(), CampaignName: h.Name, CampaignCode: h.Code, Keycode: c.Keycode,
			CompanyName: v.CompanyName, CompanyAddress: v.CompanyAddress, Today: now,
		}.Map(), nil)
		if err != nil {
			c.Script = "The script cannot be shown for this customer: " + err.Error()
			continue
		}
		c.Script = out.Text
	}
	return calls, nil
}

func facts(p customers.Profile) map[string]string {
	m := map[string]string{}
	for k, v := range map[string]string{
		"external_id": p.ExternalID, "title": p.Title, "first_name": p.FirstName, "last_name": p.LastName, "company": p.Company, "email": p.Email,
		"street": p.Street, "address2": p.Address2, "postal_code": p.PostalCode, "city": p.City, "region": p.Region, "country": p.Country, "language": p.Language,
	} {
		if v != "" {
			m[k] = v
		}
	}
	if p.OrdersCount > 0 {
		m["orders_count"], m["total_spent"] = strconv.Itoa(p.OrdersCount), p.TotalSpent.String()
	}
	if p.LastOrderAt != nil {
		m["last_order_at"] = p.LastOrderAt.Format("2006-01-02")
	}
	return m
}

// localTime tells the clock of the last zone, which is the address's where that is known.
func localTime(zones string, at time.Time) string {
	zone := zones[strings.LastIndex(zones, ",")+1:]
	loc, err := Location(zone)
	if err != nil {
		return ""
	}
	return at.In(loc).Format("15:04")
}

func (s *Service) history(ctx context.Context, people, ids []int64) (map[int64][]Attempt, error) {
	rows, err := s.d.Pool.Query(ctx, `
		SELECT call_id, at, agent, outcome, note FROM call_attempts
		WHERE customer_id = ANY(@people) AND call_id = ANY(@ids) ORDER BY call_id, at DESC, attempt_id`, pgx.NamedArgs{"people": people, "ids": ids})
	if err != nil {
		return nil, err
	}
	m := map[int64][]Attempt{}
	var call int64
	var a Attempt
	_, err = pgx.ForEachRow(rows, []any{&call, &a.At, &a.Agent, &a.Outcome, &a.Note}, func() error {
		m[call] = append(m[call], a)
		return nil
	})
	return m, err
}

// pullFor is how long calls pulled as a file are kept for the agent.
const pullFor = 12 * time.Hour

// ExportCSV leases at most n (1 to 5,000) calls to an agent for twelve hours and writes them as CSV, safe to open in a
// spreadsheet. Fails like Lease.
func (s *Service) ExportCSV(ctx context.Context, w io.Writer, listID int64, agent string, n int) error {
	if n < 1 || n > 5000 {
		return fault.BadField("n", "ask for 1 to 5,000 calls")
	}
	leased, err := s.lease(ctx, listID, agent, n, pullFor)
	if err != nil {
		return err
	}
	if err := pgx.BeginFunc(ctx, s.d.Pool, func(tx pgx.Tx) error {
		return audit.RecordTx(ctx, tx, s.d.Now(), "calls.pull", "call_list", listID, map[string]any{"agent": agent, "calls": len(leased)})
	}); err != nil {
		return err
	}
	out := csvsafe.NewWriter(w)
	header := []string{"call_id", "customer_id", "name", "phone", "time_zone", "local_time", "due_at", "callback", "attempts", "note", "keycode",
		"company", "street", "address2", "postal_code", "city", "region", "country", "language", "orders_count", "total_spent", "last_order_at",
		"leased_until", "script"}
	if err := out.Write(header...); err != nil {
		return err
	}
	for _, c := range leased {
		row := []string{strconv.FormatInt(c.ID, 10), strconv.FormatInt(c.CustomerID, 10), c.Name, c.Phone, c.TimeZone, c.LocalTime,
			c.DueAt.UTC().Format(time.RFC3339), strconv.FormatBool(c.Callback), strconv.Itoa(c.Attempts), c.Note, c.Keycode}
		for _, k := range header[11:22] {
			row = append(row, c.Customer[k])
		}
		row = append(row, c.LeasedUntil.UTC().Format(time.RFC3339), c.Script)
		if err := out.Write(row...); err != nil {
			return err
		}
	}
	return out.Flush()
}
