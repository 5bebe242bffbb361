package tracking

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aldine/internal/id"
	"aldine/internal/settings"
)

// RecordMailTx records one answer that came by mail. Signed says that a token of ours came back with it. The caller sees to it
// that no mail is recorded twice. An Invalid error names what cannot be stored.
func (s *Service) RecordMailTx(ctx context.Context, tx pgx.Tx, r Response, signed bool, v settings.Values) (Outcome, error) {
	r.Ref = ""
	items, err := check([]Response{r}, v.DefaultCountry, s.now())
	if err != nil {
		return Outcome{}, err
	}
	if signed {
		items[0].method = "token"
	}
	if err := s.matchTx(ctx, tx, items, v); err != nil {
		return Outcome{}, err
	}
	if items[0].unmatched != "" {
		if full, err := mailsWaitTx(ctx, tx); err != nil || full {
			return s.dropped(r.Kind), err
		}
	}
	if err := s.storeItemsTx(ctx, tx, sourceMail, items, v); err != nil {
		return Outcome{}, err
	}
	out := make([]Outcome, 1)
	if err := outcomesTx(ctx, tx, items, out); err != nil {
		return Outcome{}, err
	}
	s.metrics.responses.WithLabelValues(string(r.Kind), out[0].State).Inc()
	return out[0], nil
}

// KeepMailTx keeps an answer that came by mail and belongs nowhere for a person to look at.
func (s *Service) KeepMailTx(ctx context.Context, tx pgx.Tx, r Response, reason string) (Outcome, error) {
	if full, err := mailsWaitTx(ctx, tx); err != nil || full {
		return s.dropped(r.Kind), err
	}
	it := &item{single: true, id: id.New(), r: r, unmatched: reason}
	if err := keepTx(ctx, tx, sourceMail, []*item{it}); err != nil {
		return Outcome{}, err
	}
	s.metrics.responses.WithLabelValues(string(r.Kind), Unmatched).Inc()
	return Outcome{State: Unmatched, Reason: reason, ResponseID: it.id}, nil
}

// MailsWait is how many answers by mail may wait for a person. Anybody can send more, and nobody would read them.
const MailsWait = 5_000

func mailsWaitTx(ctx context.Context, tx pgx.Tx) (full bool, err error) {
	err = tx.QueryRow(ctx, `SELECT count(*) >= @most FROM (
		SELECT 1 FROM unmatched_responses WHERE resolved_at IS NULL AND source = @source ORDER BY at LIMIT @most) AS u`,
		pgx.NamedArgs{"most": MailsWait, "source": sourceMail}).Scan(&full)
	return full, err
}

func (s *Service) dropped(kind Kind) Outcome {
	s.metrics.responses.WithLabelValues(string(kind), Dropped).Inc()
	return Outcome{State: Dropped, Reason: fmt.Sprintf("%d answers by mail wait for a person already", MailsWait)}
}

// LeaveByMailTx unsubscribes the customer of a signed address, as its link would. NotFound where the campaign is gone.
func (s *Service) LeaveByMailTx(ctx context.Context, tx pgx.Tx, t Token) error {
	sub, err := findSubscription(ctx, tx, t)
	if err != nil {
		return err
	}
	return s.unsubscribeTx(ctx, tx, t, sub, "unsubscribe mail")
}

// WantsOut tells whether somebody's words ask for no more messages.
func WantsOut(text string) bool { return readKeyword(text) == wordStop }
