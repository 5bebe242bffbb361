package tracking

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/internal/id"
)

// hit is one request for a tracked address.
type hit struct {
	id      uuid.UUID
	kind    Kind
	token   Token
	at      time.Time
	machine bool
	here    bool // made on this machine
	detail  map[string]any
	stored  chan error
}

func newHit(kind Kind, t Token, r *http.Request, at time.Time) *hit {
	h := &hit{id: id.New(), kind: kind, token: t, at: at, here: fromHere(r), detail: map[string]any{}}
	if why := Machine(r); why != "" {
		h.machine, h.detail["machine"] = true, why
	}
	if agent := clean(r.UserAgent(), 200); agent != "" {
		h.detail["user_agent"] = agent
	}
	if from := network(r.RemoteAddr); from != "" {
		h.detail["network"] = from
	}
	return h
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
const tooSoon = 2 * time.Second

// commitTimeout bounds one commit, so that a database that hangs turns hits away instead of piling them up.
const commitTimeout = 10 * time.Second

// storeHits commits a batch; after a failure it tries once more, because a connection may have been cut by a restart
// of the database.
func (s *Service) storeHits(hits []*hit) error {
	var err error
	for range 2 {
		ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
		err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.storeHitsTx(ctx, tx, hits) })
		cancel()
		if err == nil {
			s.metrics.commits.Inc()
			for _, h := range hits {
				s.metrics.hits.WithLabelValues(string(h.kind), machineLabel(h.machine)).Inc()
			}
			return nil
		}
	}
	s.log.Error("hits could not be stored", "hits", len(hits), "error", err)
	return err
}

func (s *Service) storeHitsTx(ctx context.Context, tx pgx.Tx, hits []*hit) error {
	n := len(hits)
	numbers, customers, campaigns, steps := make([]int32, n), make([]int64, n), make([]int64, n), make([]int64, n)
	rows := make([]row, n)
	for i, h := range hits {
		numbers[i], customers[i], campaigns[i], steps[i] = int32(i), h.token.CustomerID, h.token.CampaignID, h.token.StepID
		rows[i] = row{
			customerID: h.token.CustomerID, campaignID: h.token.CampaignID, stepID: h.token.StepID, linkID: h.token.LinkID,
			id: h.id, kind: h.kind, at: h.at, method: "token", machine: h.machine, detail: h.detail,
		}
	}
	found, err := tx.Query(ctx, `
		SELECT q.i, coalesce(a.customer_id, q.customer_id), coalesce(t.cell_id, m.cell_id, 0), coalesce(t.channel, m.channel, s.channel, ''),
			coalesce(t.sent_at, m.sent_at, CASE WHEN t.state = 'sending' THEN t.updated_at END)
		FROM unnest(@numbers::int[], @customers::bigint[], @campaigns::bigint[], @steps::bigint[])
			AS q (i, customer_id, campaign_id, step_id)
		LEFT JOIN touches t USING (customer_id, campaign_id, step_id)
		LEFT JOIN customer_aliases a ON a.old_id = q.customer_id -- a message to somebody who is part of another customer by now
		LEFT JOIN touches m ON m.customer_id = a.customer_id AND m.campaign_id = q.campaign_id AND m.step_id = q.step_id
		LEFT JOIN steps s ON s.step_id = q.step_id
		ORDER BY q.i`,
		pgx.NamedArgs{"numbers": numbers, "customers": customers, "campaigns": campaigns, "steps": steps})
	if err != nil {
		return err
	}
	var (
		i       int32
		person  int64
		cell    int64
		channel string
		sentAt  *time.Time
	)
	_, err = pgx.ForEachRow(found, []any{&i, &person, &cell, &channel, &sentAt}, func() error {
		r := &rows[i]
		r.customerID, r.cellID, r.channel = person, cell, channel
		if sentAt != nil && r.at.Before(sentAt.Add(tooSoon)) && !r.machine && !hits[i].here {
			r.machine, r.detail["machine"] = true, "within two seconds of sending"
			hits[i].machine = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.storeTx(ctx, tx, rows)
}

func machineLabel(m bool) string {
	if m {
		return "true"
	}
	return "false"
}
