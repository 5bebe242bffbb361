package tracking

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/internal/id"
	"aldine/internal/tally"
)

// hit is one request for a tracked address.
type hit struct {
	id      uuid.UUID
	kind    Kind
	token   Token
	at      time.Time
	machine bool
	here    bool   // made on this machine
	suspect bool   // to be judged together with the others on its message
	detail  string // JSON
	stored  chan error
}

func (s *Service) newHit(kind Kind, t Token, r *http.Request) *hit {
	h := &hit{id: id.New(), kind: kind, token: t, at: s.now().Truncate(time.Microsecond), here: fromHere(r)}
	why := Machine(r)
	if kind == KindClick && t.LinkID == 0 {
		why = reasonTrap
	}
	h.machine = why != ""
	h.suspect = s.recent.suspect(h)
	h.detail = detailOf(why, h.here, r.UserAgent(), network(r.RemoteAddr))
	return h
}

// detailOf is the JSON of a hit's detail. Reasons and networks are the program's own words, which need no escaping.
func detailOf(why string, here bool, agent, network string) string {
	var room [320]byte
	b := append(room[:0], '{')
	if why != "" {
		b = append(append(append(b, `"machine": "`...), why...), `", `...)
	}
	if here {
		b = append(b, `"here": true, `...)
	}
	if network != "" {
		b = append(append(append(b, `"network": "`...), network...), `", `...)
	}
	if agent != "" {
		b = append(append(append(b, `"user_agent": `...), knownAgents.text(agent)...), `, `...)
	}
	return string(append(bytes.TrimSuffix(b, []byte(", ")), '}'))
}

// network is where a request came from, made too coarse to tell a person: /24 of IPv4, /48 of IPv6.
func network(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	addr = addr.Unmap().WithZone("")
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// tooSoon is how long after sending a hit is taken for a scanner's: no person has read the message by then.
const (
	tooSoon       = 2 * time.Second
	tooSoonReason = "within two seconds of sending"
)

// batch is hits that land together, column by column.
type batch struct {
	ids                               [][16]byte // as such, and not as uuid.UUID, they are quick to send
	customers, campaigns, steps, link []int64
	kinds, details                    []string
	ats                               []time.Time
	machines, here, suspects          []bool

	marked []int64 // campaigns
	marks  [][16]byte
}

func newBatch(hits []*hit) *batch {
	n := len(hits)
	b := &batch{ids: make([][16]byte, n), customers: make([]int64, n), campaigns: make([]int64, n), steps: make([]int64, n), link: make([]int64, n),
		kinds: make([]string, n), details: make([]string, n), ats: make([]time.Time, n), machines: make([]bool, n), here: make([]bool, n), suspects: make([]bool, n)}
	for i, h := range hits {
		b.ids[i], b.customers[i], b.campaigns[i], b.steps[i], b.link[i] = h.id, h.token.CustomerID, h.token.CampaignID, h.token.StepID, h.token.LinkID
		b.kinds[i], b.details[i], b.ats[i], b.machines[i], b.here[i] = string(h.kind), h.detail, h.at, h.machine, h.here
		b.suspects[i] = h.suspect
		if !slices.Contains(b.marked, h.token.CampaignID) {
			b.marked, b.marks = append(b.marked, h.token.CampaignID), append(b.marks, id.New())
		}
	}
	return b
}

// storeSQL puts hits among the responses. Those stored before under the same key are left as they are, so that a commit whose answer was lost can be
// repeated.
const storeSQL = `
	WITH q AS (
		SELECT q.i, coalesce(a.customer_id, q.customer_id) AS customer_id, q.response_id, q.kind, q.at, q.campaign_id, q.step_id, q.link_id, q.machine, q.here, q.detail, q.suspect,
			coalesce(t.cell_id, m.cell_id) AS cell_id, coalesce(t.channel, m.channel, s.channel) AS channel,
			c.customer_id IS NULL AS erased, coalesce(t.sent_at, m.sent_at, CASE WHEN t.state = 'sending' THEN t.updated_at END) AS sent_at
		FROM unnest($1::int[], $2::bigint[], $3::uuid[], $4::text[], $5::timestamptz[], $6::bigint[], $7::bigint[], $8::bigint[], $9::boolean[], $10::boolean[], $11::text[], $12::boolean[])
			AS q (i, customer_id, response_id, kind, at, campaign_id, step_id, link_id, machine, here, detail, suspect)
		LEFT JOIN touches t ON t.customer_id = q.customer_id AND t.campaign_id + 0 = q.campaign_id AND t.step_id + 0 = q.step_id
		LEFT JOIN customer_aliases a ON a.old_id = q.customer_id -- a message to somebody who is part of another customer by now
		LEFT JOIN touches m ON m.customer_id = a.customer_id AND m.campaign_id + 0 = q.campaign_id AND m.step_id + 0 = q.step_id
		LEFT JOIN steps s ON s.step_id = q.step_id
		LEFT JOIN customers c ON c.customer_id = coalesce(a.customer_id, q.customer_id) -- of a person who was erased only the number is kept
	), judged AS (
		SELECT q.*, NOT machine AND NOT here AND at < sent_at + make_interval(secs => $13) IS TRUE AS soon FROM q
	), stored AS (
		INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, cell_id, channel, link_id, method, machine, rules, detail)
		SELECT customer_id, response_id, kind, at, $14, nullif(campaign_id, 0), nullif(step_id, 0), cell_id, channel, nullif(link_id, 0), 'token', machine OR soon, ` + rulesText + `,
			CASE WHEN erased THEN '{}' WHEN soon THEN detail::jsonb || '{"machine": "` + tooSoonReason + `"}' ELSE detail::jsonb END
		FROM judged ORDER BY customer_id, response_id
		ON CONFLICT (customer_id, response_id, at) DO NOTHING
		RETURNING customer_id, campaign_id, response_id, kind, machine
	), done AS (
		SELECT stored.*, judged.suspect FROM stored JOIN judged USING (response_id)
	), marked AS (
		INSERT INTO rollup_marks (campaign_id, mark_id, slices, at)
		SELECT d.campaign_id, k.mark_id, array_agg(DISTINCT d.customer_id >> $17::int), $14 FROM done d JOIN unnest($15::bigint[], $16::uuid[]) AS k (campaign_id, mark_id) USING (campaign_id)
		GROUP BY 1, 2
	), followed AS (
		INSERT INTO hit_followups (followup_id, campaign_id, people, clickers, suspects, at)
		SELECT k.mark_id, d.campaign_id, coalesce(array_agg(DISTINCT d.customer_id) FILTER (WHERE NOT d.machine), '{}'),
			coalesce(array_agg(DISTINCT d.customer_id) FILTER (WHERE NOT d.machine AND d.kind = 'click'), '{}'),
			coalesce(array_agg(DISTINCT d.customer_id) FILTER (WHERE d.suspect), '{}'), $14
		FROM done d JOIN unnest($15::bigint[], $16::uuid[]) AS k (campaign_id, mark_id) USING (campaign_id)
		WHERE NOT d.machine OR d.suspect GROUP BY 1, 2
	)
	SELECT i FROM judged WHERE soon`

// landTx stores hits and what is to be done about them, and marks those as a program's that came too soon.
func (s *Service) landTx(ctx context.Context, tx pgx.Tx, hits []*hit) error {
	b := newBatch(hits)
	numbers := make([]int32, len(hits))
	for i := range numbers {
		numbers[i] = int32(i)
	}
	rows, err := tx.Query(ctx, storeSQL, numbers, b.customers, b.ids, b.kinds, b.ats, b.campaigns, b.steps, b.link, b.machines, b.here, b.details, b.suspects,
		tooSoon.Seconds(), s.now(), b.marked, b.marks, tally.Bits)
	if err != nil {
		return err
	}
	var i int32
	_, err = pgx.ForEachRow(rows, []any{&i}, func() error { hits[i].machine = true; return nil })
	return err
}

func machineLabel(m bool) string {
	if m {
		return "true"
	}
	return "false"
}
