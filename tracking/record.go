package tracking

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/internal/fault"
	"aldine/internal/settings"
)

// MaxBatch is how many responses Record takes at once.
const MaxBatch = 1000

// Record stores responses that another program reports, at most MaxBatch at once, all or none. source names who
// reports; together with a response's Ref it makes the response idempotent: the same one again stores nothing and
// gives the first outcome. A keycode that nobody knows, or a person nobody knows who names no code, is kept as
// unmatched. An Invalid error names the faulty fields, a mistyped keycode among them.
func (s *Service) Record(ctx context.Context, source string, responses []Response) ([]Outcome, error) {
	v, err := s.settings.Get(ctx) // before the transaction, which must not wait for a second connection
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(responses, func(r Response) bool { return r.Kind == KindOrder }) {
		if err := s.SettleSoon(ctx); err != nil {
			return nil, err
		}
	}
	var out []Outcome
	for try := 0; try == 0 || try < 3 && monthMade(err); try++ {
		err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
			out, err = s.recordTx(ctx, tx, source, responses, v)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	for i, o := range out {
		if !o.Repeated {
			s.metrics.responses.WithLabelValues(string(responses[i].Kind), o.State).Inc()
		}
	}
	return out, nil
}

// RecordTx is Record within the caller's transaction.
func (s *Service) RecordTx(ctx context.Context, tx pgx.Tx, source string, responses []Response) ([]Outcome, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	return s.recordTx(ctx, tx, source, responses, v)
}

func (s *Service) recordTx(ctx context.Context, tx pgx.Tx, source string, responses []Response, v settings.Values) ([]Outcome, error) {
	items, err := check(responses, v.DefaultCountry, s.now())
	if err != nil || len(items) == 0 {
		return nil, err
	}
	switch source {
	case "":
		source = "api"
	case sourceToken, sourceSMS, sourceOrder, sourceMail:
		source = "api:" + source
	}
	out := make([]Outcome, len(items))
	fresh, err := s.knownTx(ctx, tx, source, items, out)
	if err != nil || len(fresh) == 0 {
		return out, err
	}
	if err := s.matchTx(ctx, tx, fresh, v); err != nil {
		return nil, err
	}
	fresh, lost, err := claimManyTx(ctx, tx, source, fresh)
	if err != nil {
		return nil, err
	}
	if _, err := s.knownTx(ctx, tx, source, lost, out); err != nil {
		return nil, err
	}
	if err := s.storeItemsTx(ctx, tx, source, fresh, v); err != nil {
		return nil, err
	}
	return out, outcomesTx(ctx, tx, fresh, out)
}

// knownTx fills the outcomes of items whose ref was recorded before and gives the others. A ref that comes twice in
// one batch is fresh the first time; the second one is answered like it.
func (s *Service) knownTx(ctx context.Context, tx pgx.Tx, source string, items []*item, out []Outcome) (fresh []*item, err error) {
	var refs []string
	for _, it := range items {
		if it.r.Ref != "" {
			refs = append(refs, it.r.Ref)
		}
	}
	known := map[string]Outcome{}
	if len(refs) > 0 {
		rows, err := tx.Query(ctx, `
			SELECT f.ref, f.customer_id, f.response_id, coalesce(r.campaign_id, 0), r.response_id IS NULL AND u.unmatched_id IS NOT NULL,
				coalesce(u.reason, '')
			FROM response_refs f
			LEFT JOIN responses r ON r.customer_id = f.customer_id AND r.response_id = f.response_id
			LEFT JOIN unmatched_responses u ON u.unmatched_id = f.response_id
			WHERE f.source = @source AND f.ref = ANY(@refs)
			ORDER BY f.ref`, pgx.NamedArgs{"source": source, "refs": refs})
		if err != nil {
			return nil, err
		}
		var o Outcome
		var unmatched bool
		_, err = pgx.ForEachRow(rows, []any{&o.Ref, &o.CustomerID, &o.ResponseID, &o.CampaignID, &unmatched, &o.Reason}, func() error {
			o.State, o.Repeated = Recorded, true
			if unmatched {
				o.State = Unmatched
			} else {
				o.Reason = ""
			}
			known[o.Ref] = o
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	first := map[string]*item{}
	for _, it := range items {
		if o, ok := known[it.r.Ref]; ok && it.r.Ref != "" {
			out[it.n] = o
			for _, n := range it.again {
				out[n] = o
			}
			continue
		}
		if it.r.Ref != "" {
			if other, twice := first[it.r.Ref]; twice {
				other.again = append(other.again, it.n)
				continue
			}
			first[it.r.Ref] = it
		}
		fresh = append(fresh, it)
	}
	return fresh, nil
}

// claimManyTx takes the refs of items; those that another transaction took meanwhile come back as lost. Refs are
// taken in order, so that two batches wait for, and do not block, each other.
func claimManyTx(ctx context.Context, tx pgx.Tx, source string, items []*item) (won, lost []*item, err error) {
	var refs []string
	var people []int64
	var ids []uuid.UUID
	for _, it := range items {
		if it.r.Ref != "" {
			refs, people, ids = append(refs, it.r.Ref), append(people, it.customer()), append(ids, it.id)
		}
	}
	if len(refs) == 0 {
		return items, nil, nil
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO response_refs (source, ref, customer_id, response_id)
		SELECT @source, ref, customer_id, response_id
		FROM unnest(@refs::text[], @people::bigint[], @ids::uuid[]) AS r (ref, customer_id, response_id)
		ORDER BY ref
		ON CONFLICT (source, ref) DO NOTHING
		RETURNING ref`, pgx.NamedArgs{"source": source, "refs": refs, "people": people, "ids": ids})
	if err != nil {
		return nil, nil, err
	}
	taken, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, nil, err
	}
	mine := map[string]bool{"": true}
	for _, ref := range taken {
		mine[ref] = true
	}
	for _, it := range items {
		if mine[it.r.Ref] {
			won = append(won, it)
		} else {
			lost = append(lost, it)
		}
	}
	return won, lost, nil
}

// storeItemsTx stores what the items say and does what follows from it.
func (s *Service) storeItemsTx(ctx context.Context, tx pgx.Tx, source string, items []*item, v settings.Values) error {
	var plain, orders, unmatched []*item
	for _, it := range items {
		switch {
		case it.unmatched != "":
			unmatched = append(unmatched, it)
		case it.r.Kind == KindOrder:
			orders = append(orders, it)
		default:
			plain = append(plain, it)
		}
	}
	if err := keepTx(ctx, tx, source, unmatched); err != nil {
		return err
	}
	rows := make([]row, len(plain))
	for i, it := range plain {
		rows[i] = it.row()
	}
	if err := s.storeTx(ctx, tx, rows); err != nil {
		return err
	}
	if err := s.effectsTx(ctx, tx, source, plain); err != nil {
		return err
	}
	return s.storeOrdersTx(ctx, tx, source, orders, v)
}

// storeOrdersTx hands orders to the customers' records, keeps one response for each, and credits them at once.
func (s *Service) storeOrdersTx(ctx context.Context, tx pgx.Tx, source string, items []*item, v settings.Values) error {
	if len(items) == 0 {
		return nil
	}
	orders := make([]customers.Order, len(items))
	for i, it := range items {
		orders[i] = it.order()
	}
	outcomes, err := s.customers.RecordOrdersTx(ctx, tx, orders)
	if err != nil {
		return err
	}
	var fields []fault.Field
	for i, o := range outcomes {
		if o.State == customers.OrderRejected {
			fields = append(fields, fault.Field{Name: items[i].field("order_ref"), Message: o.Reason})
		}
	}
	if len(fields) > 0 {
		return fault.Bad("The order was not accepted", fields...)
	}
	var responses []row
	var refs []string
	for _, it := range items {
		refs = append(refs, it.r.OrderRef)
		if !it.r.Amount.IsNeg() { // a return answers nothing
			responses = append(responses, it.row())
		}
	}
	kept, err := s.orderResponsesTx(ctx, tx, responses)
	if err != nil {
		return err
	}
	for _, it := range items {
		id, ok := kept[it.r.OrderRef]
		if !ok {
			continue
		}
		if id != it.id {
			// The order was known already: its response is the outcome of this ref as well.
			if _, err := tx.Exec(ctx, `UPDATE response_refs SET response_id = @id WHERE source = @source AND ref = @ref`,
				pgx.NamedArgs{"id": id, "source": source, "ref": it.r.Ref}); err != nil {
				return err
			}
		}
		it.id = id
	}
	slices.Sort(refs)
	return s.attributeTx(ctx, tx, slices.Compact(refs), v)
}
