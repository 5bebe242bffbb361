package tracking

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
)

// Causes of a soft bounce that say nothing of the address. The others count against it.
const (
	causePolicy  = "policy"  // the sender is not trusted
	causeContent = "content" // the text is taken for spam
	causeTooBig  = "too_big"
)

// softTx counts soft bounces and gives the addresses that have had too many in a row. What is the sender's fault raises a
// trouble of the campaign instead.
func (s *Service) softTx(ctx context.Context, tx pgx.Tx, items []*item) ([]suppression, error) {
	var ours []*item
	counted := map[int64]*item{}
	var people []int64
	for _, it := range items {
		if it.campaignID == 0 || it.stepID == 0 {
			continue
		}
		switch it.r.Detail["cause"] {
		case causeTooBig:
		case causePolicy, causeContent:
			ours = append(ours, it)
		default:
			if c := it.customer(); c != 0 && counted[c] == nil {
				counted[c] = it
				people = append(people, c)
			}
		}
	}
	if err := s.troubleTx(ctx, tx, ours); err != nil || len(people) == 0 {
		return nil, err
	}
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	// Two bounces that come at once must see each other.
	if _, err := tx.Exec(ctx, `SELECT 1 FROM customers WHERE customer_id = ANY(@people) ORDER BY customer_id FOR NO KEY UPDATE`,
		pgx.NamedArgs{"people": people}); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, softSQL, pgx.NamedArgs{
		"people": people, "limit": v.SoftBounces, "since": s.now().Add(-time.Duration(v.SoftBounceDays) * 24 * time.Hour),
		"not_counted": []string{causePolicy, causeContent, causeTooBig},
	})
	if err != nil {
		return nil, err
	}
	var tired []suppression
	var customer int64
	var address string
	_, err = pgx.ForEachRow(rows, []any{&customer, &address}, func() error {
		reason := because(fmt.Sprintf("%d mails in a row came back", v.SoftBounces), counted[customer].r.Detail)
		tired = append(tired, suppression{"email", address, "email", reason})
		return nil
	})
	return tired, err
}

// softSQL gives the addresses whose latest mails all came back, counted from the last one that did: what was sent since may
// still be under way. A person who opened, clicked or answered in the meantime has got one.
const softSQL = `
	WITH mails AS (
		SELECT t.customer_id, lower(t.destination) AS address, t.sent_at, b.at
		FROM unnest(@people::bigint[]) AS p (customer_id)
		JOIN touches t ON t.customer_id = p.customer_id AND t.channel = 'email' AND t.state || '' = 'sent' AND t.destination IS NOT NULL
		LEFT JOIN LATERAL (
			SELECT max(r.at) AS at FROM responses r
			WHERE r.customer_id = t.customer_id AND r.campaign_id + 0 = t.campaign_id AND r.step_id = t.step_id AND r.kind = 'bounce' AND r.at > @since
				AND coalesce(r.detail ->> 'cause', '') <> ALL (@not_counted::text[])
		) b ON true
	), numbered AS (
		SELECT m.*, row_number() OVER (PARTITION BY m.customer_id, m.address ORDER BY m.sent_at DESC) AS n
		FROM mails m
		WHERE m.sent_at <= (SELECT max(l.sent_at) FROM mails l WHERE l.customer_id = m.customer_id AND l.address = m.address AND l.at IS NOT NULL)
	), runs AS (
		SELECT customer_id, address, count(*) AS mails, count(at) AS bounced, min(at) AS since FROM numbered WHERE n <= @limit GROUP BY customer_id, address
	)
	SELECT r.customer_id, r.address FROM runs r
	WHERE r.mails = @limit AND r.bounced = @limit AND NOT EXISTS (
		SELECT 1 FROM responses g WHERE g.customer_id = r.customer_id AND g.kind IN ('open', 'click', 'reply') AND g.channel = 'email' AND NOT g.machine AND g.at > r.since)
	ORDER BY r.customer_id, r.address`

var addressInText = regexp.MustCompile(`[^\s<>"'(),:;\[\]\\=]+@[^\s<>"'(),:;\[\]\\]+`)

// troubleTx counts mails that came back through the sender's fault.
func (s *Service) troubleTx(ctx context.Context, tx pgx.Tx, items []*item) error {
	if len(items) == 0 {
		return nil
	}
	n := len(items)
	campaigns, steps, causes, messages := make([]int64, n), make([]int64, n), make([]string, n), make([]string, n)
	for i, it := range items {
		words, _ := it.r.Detail["reason"].(string)
		campaigns[i], steps[i], causes[i] = it.campaignID, it.stepID, it.r.Detail["cause"].(string)
		messages[i] = clean(addressInText.ReplaceAllString(words, "(address)"), 300)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO mail_troubles AS m (campaign_id, step_id, cause, mails, message, first_at, last_at)
		SELECT campaign_id, step_id, cause, count(*), (array_agg(message))[1], @now, @now
		FROM unnest(@campaigns::bigint[], @steps::bigint[], @causes::text[], @messages::text[]) AS u (campaign_id, step_id, cause, message)
		GROUP BY campaign_id, step_id, cause ORDER BY campaign_id, step_id, cause
		ON CONFLICT (campaign_id, step_id, cause) DO UPDATE
		SET mails = m.mails + excluded.mails, message = excluded.message, last_at = excluded.last_at`,
		pgx.NamedArgs{"now": s.now(), "campaigns": campaigns, "steps": steps, "causes": causes, "messages": messages})
	return err
}

// because adds the server's own words to a reason.
func because(what string, detail map[string]any) string {
	words, _ := detail["reason"].(string)
	if words = clean(words, 300); words == "" {
		return what
	}
	return what + ": " + words
}
