package customers

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/audit"
)

// Forgetting says which rented names may go: those whose licence is over on a day, and whose last use, or where they were never
// used the last day of use, lies before a moment.
type Forgetting struct {
	Today  string // a date, in the company's time zone
	Before time.Time
	After  ID // the last one looked at
}

// rentedSlice is how many rented names are looked at in one transaction.
const rentedSlice = 2_000

// ForgetRented erases one slice of the rented names that are not to be kept any longer, and gives the last one looked at, 0 after
// the last slice. What was sent to them stays counted under the bare number. Unlike Erase it leaves no hashes: nobody asked
// for it, and the next list may bring the same people.
func (s *Service) ForgetRented(ctx context.Context, f Forgetting) (erased int64, last ID, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		args := pgx.NamedArgs{"today": f.Today, "before": f.Before, "after": f.After, "limit": rentedSlice, "campaign": 0}
		var n int
		if err := tx.QueryRow(ctx, `
			SELECT count(*), coalesce(max(customer_id), 0) FROM (
				SELECT customer_id FROM customers WHERE rented AND customer_id > @after ORDER BY customer_id LIMIT @limit) c`, args).Scan(&n, &last); err != nil {
			return err
		}
		args["last"] = last
		if n < rentedSlice {
			last = 0
		}
		if n == 0 {
			return nil
		}
		if erased, err = s.forgetTx(ctx, tx, args); err != nil || erased == 0 {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "customer.forget_rented", "customer", "many", map[string]any{"erased": erased})
	})
	return erased, last, err
}

func (s *Service) forgetTx(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) (int64, error) {
	rows, err := tx.Query(ctx, `
		SELECT c.customer_id, c.residence_id, coalesce(c.external_id, ''), lower(coalesce(c.email, '')), coalesce(c.phone, '')
		FROM customers c
		JOIN lists l ON l.list_id = c.list_id AND l.kind = 'rented'
		CROSS JOIN LATERAL (SELECT max(coalesce(t.sent_at, t.updated_at)) AS at, count(*) FILTER (WHERE t.state IN ('planned', 'sending', 'unconfirmed')) AS open
			FROM touches t WHERE t.customer_id = c.customer_id AND t.state <> 'excluded') t
		WHERE c.rented AND c.customer_id > @after AND c.customer_id <= @last AND t.open = 0
			AND coalesce(t.at, l.mail_by::timestamptz) < @before AND `+LicenceOver("c", "l")+`
			AND NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.customer_id = c.customer_id AND e.state = 'active')
		ORDER BY c.customer_id FOR UPDATE OF c`, args)
	if err != nil {
		return 0, err
	}
	var ids []ID
	var left []int64
	var externals, emails, phones []string
	var id ID
	var residence *int64
	var external, email, phone string
	if _, err := pgx.ForEachRow(rows, []any{&id, &residence, &external, &email, &phone}, func() error {
		ids, externals, emails, phones = append(ids, id), append(externals, external), append(emails, email), append(phones, phone)
		if residence != nil {
			left = append(left, *residence)
		}
		return nil
	}); err != nil || len(ids) == 0 {
		return 0, err
	}
	gone := pgx.NamedArgs{"ids": ids, "externals": filled(externals), "emails": filled(emails), "phones": filled(phones), "now": s.now()}
	for _, sql := range []string{
		`DELETE FROM customers WHERE customer_id = ANY (@ids)`,
		`DELETE FROM customer_external_ids WHERE external_id = ANY (@externals) AND customer_id = ANY (@ids)`,
		`DELETE FROM customer_emails WHERE email = ANY (@emails) AND customer_id = ANY (@ids)`,
		`DELETE FROM customer_phones WHERE phone = ANY (@phones) AND customer_id = ANY (@ids)`,
		`DELETE FROM customer_identities WHERE customer_id = ANY (@ids)`,
		`DELETE FROM list_members WHERE customer_id = ANY (@ids)`,
		`DELETE FROM consents WHERE customer_id = ANY (@ids)`,
		eventsGoneSQL,
		eventRefsGoneSQL,
		`UPDATE touches SET destination = NULL WHERE customer_id = ANY (@ids) AND destination IS NOT NULL`,
		`UPDATE calls SET phone = '', note = '', updated_at = @now,
			state = CASE WHEN state = 'done' THEN state ELSE 'withdrawn' END WHERE customer_id = ANY (@ids)`,
		`UPDATE call_attempts SET note = '' WHERE customer_id = ANY (@ids) AND note <> ''`,
		mailsGoneSQL,
		`DELETE FROM duplicates WHERE customer_id = ANY (@ids) OR other_id = ANY (@ids)`,
		mergesBlankSQL,
	} {
		if _, err := tx.Exec(ctx, sql, gone); err != nil {
			return 0, err
		}
	}
	if err := HoldHitsTx(ctx, tx); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, blankResponsesSQL, gone); err != nil {
		return 0, err
	}
	if err := s.NoteHouseholdsTx(ctx, tx, nil, left); err != nil {
		return 0, err
	}
	return int64(len(ids)), s.QueueHouseholdsTx(ctx, tx)
}
