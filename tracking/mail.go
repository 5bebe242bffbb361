package tracking

import (
	"context"

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
	it := &item{single: true, id: id.New(), r: r, unmatched: reason}
	if err := keepTx(ctx, tx, sourceMail, []*item{it}); err != nil {
		return Outcome{}, err
	}
	s.metrics.responses.WithLabelValues(string(r.Kind), Unmatched).Inc()
	return Outcome{State: Unmatched, Reason: reason, ResponseID: it.id}, nil
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
