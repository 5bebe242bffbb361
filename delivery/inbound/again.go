package inbound

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/delivery/bounce"
	"aldine/internal/settings"
	"aldine/internal/tally"
)

// Judged is a kept mail on which today's rules differ from those of the day it came.
type Judged struct {
	ReceivedAt    time.Time `json:"received_at"`
	SentTo        string    `json:"sent_to"`
	KindBefore    string    `json:"kind_before"`
	OutcomeBefore string    `json:"outcome_before"`
	Kind          string    `json:"kind"`
	Outcome       string    `json:"outcome"`
	Reason        string    `json:"reason,omitempty"`
	Applied       bool      `json:"applied"`
}

var errDry = errors.New("only tried")

// Again judges the kept mails by the rules of today, the oldest first, and tells of each that is judged otherwise. With apply what was
// recorded of it is replaced by what follows today; what a person has decided stays, and so does a suppression, which only a
// person lifts. It gives the number of mails looked at. Broken off, it can begin anew.
func (s *Service) Again(ctx context.Context, apply bool, each func(Judged) error) (looked int, err error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return 0, err
	}
	var at time.Time
	hash := []byte{}
	for {
		err := s.pool.QueryRow(ctx, `SELECT received_at, mail_hash FROM inbound_raw WHERE (received_at, mail_hash) > (@at, @hash) ORDER BY received_at, mail_hash LIMIT 1`,
			pgx.NamedArgs{"at": at, "hash": hash}).Scan(&at, &hash)
		if errors.Is(err, pgx.ErrNoRows) {
			return looked, nil
		}
		if err != nil {
			return looked, err
		}
		looked++
		var j Judged
		var differs bool
		err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			var err error
			if j, differs, err = s.againTx(ctx, tx, hash, v); err == nil && !(apply && differs) {
				return errDry
			}
			return err
		})
		if err != nil && !errors.Is(err, errDry) {
			return looked, err
		}
		if differs {
			j.Applied = apply
			if err := each(j); err != nil {
				return looked, err
			}
		}
	}
}

// againTx takes one mail in once more, as if nothing had followed from it.
func (s *Service) againTx(ctx context.Context, tx pgx.Tx, hash []byte, v settings.Values) (j Judged, differs bool, err error) {
	var m mail
	var made []uuid.UUID
	var people []int64
	var decided bool
	err = tx.QueryRow(ctx, `
		SELECT r.received_at, r.sent_to, r.body, r.response_ids, r.customer_ids, m.source, m.kind, m.outcome,
			EXISTS (SELECT 1 FROM unmatched_responses u WHERE u.unmatched_id = ANY (r.response_ids) AND u.resolved_at IS NOT NULL)
		FROM inbound_raw r JOIN inbound_mails m USING (mail_hash) WHERE r.mail_hash = @hash FOR UPDATE OF r`,
		pgx.NamedArgs{"hash": hash}).Scan(&j.ReceivedAt, &j.SentTo, &m.raw, &made, &people, &m.source, &j.KindBefore, &j.OutcomeBefore, &decided)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && decided { // forgotten meanwhile, or a person knew better
		return j, false, nil
	}
	if err != nil {
		return j, false, err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM unmatched_responses WHERE unmatched_id = ANY (@made)`, pgx.NamedArgs{"made": made}); err != nil {
		return j, false, err
	}
	rows, err := tx.Query(ctx, `
		DELETE FROM responses WHERE response_id = ANY (@made) AND at >= @since AND kind IN ('bounce', 'complaint', 'reply')
			AND customer_id = ANY (ARRAY (SELECT unnest(@people::bigint[]) UNION SELECT a.customer_id FROM customer_aliases a WHERE a.old_id = ANY (@people)))
		RETURNING coalesce(campaign_id, 0), customer_id`, pgx.NamedArgs{"made": made, "people": people, "since": j.ReceivedAt.Add(-time.Hour)})
	if err != nil {
		return j, false, err
	}
	var campaign, customer int64
	var marks tally.Marks
	if _, err := pgx.ForEachRow(rows, []any{&campaign, &customer}, func() error { marks.Add(campaign, customer); return nil }); err != nil {
		return j, false, err
	}
	if err := marks.SetTx(ctx, tx, s.now()); err != nil {
		return j, false, err
	}
	m.Mail, m.to, m.vouched = bounce.Read(m.raw), j.SentTo, m.source != listener
	res, err := s.takeTx(ctx, tx, m, v)
	if err != nil {
		return j, false, err
	}
	j.Kind, j.Outcome, j.Reason = res.Kind, res.Outcome, res.Reason
	if j.Kind == j.KindBefore && j.Outcome == j.OutcomeBefore {
		return j, false, nil
	}
	if err := noteTx(ctx, tx, hash, res); err != nil {
		return j, false, err
	}
	return j, true, s.keepRawTx(ctx, tx, hash, m, res, v)
}
