package duplicates

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/id"
	"aldine/internal/tally"
)

// Merge makes two customers one. choose says, by the name of a field ("last_name", "address", "external_id",
// "attributes.colour"), "survivor" or "old" where the rule shall not decide. NotFound where a customer does not exist, Conflict where
// it cannot be done just now.
func (s *Service) Merge(ctx context.Context, survivor, old int64, choose map[string]string) (Merged, error) {
	var m Merged
	err := s.inTx(ctx, func(tx pgx.Tx) (err error) {
		m, err = s.mergeTx(ctx, tx, survivor, old, choose, false)
		return err
	})
	return m, err
}

// inTx runs a transaction, and once more where something that happened to its customers meanwhile stood in its way: they entered a
// campaign both, say, between the look at their campaigns and the move. It is Conflict where that goes on.
func (s *Service) inTx(ctx context.Context, do func(pgx.Tx) error) error {
	for try := 1; ; try++ {
		err := pgx.BeginFunc(ctx, s.Pool, do)
		var pe *pgconn.PgError
		if !errors.As(err, &pe) || pe.Code != "23505" && pe.Code != "40P01" {
			return err
		}
		if try == 3 {
			return fault.New(fault.Conflict, "Something is just happening to these customers; try again in a moment")
		}
	}
}

// mergeTx merges; alone says that no person looks at this pair, so that two external ids forbid it.
func (s *Service) mergeTx(ctx context.Context, tx pgx.Tx, survivor, old int64, choose map[string]string, alone bool) (Merged, error) {
	if err := customers.MergingTx(ctx, tx); err != nil {
		return Merged{}, err
	}
	if err := customers.HoldImportsTx(ctx, tx); err != nil {
		return Merged{}, err
	}
	w, err := begin(ctx, tx, s.Now(), survivor, old)
	if err != nil {
		return Merged{}, err
	}
	if err := w.lock(ctx); err != nil {
		return Merged{}, err
	}
	a, b := w.before.Survivor, w.before.Old
	if why := conflictOf(a, b); why != "" && alone {
		return Merged{}, fault.New(fault.Conflict, "They have %s", why)
	}
	choices, err := chooseFields(a, b, choose)
	if err != nil {
		return Merged{}, err
	}
	shared, err := w.shared(ctx)
	if err != nil {
		return Merged{}, err
	}
	if why, err := w.refusal(ctx, shared); err != nil {
		return Merged{}, err
	} else if why != "" {
		return Merged{}, fault.New(fault.Conflict, "%s", why)
	}
	open, err := w.underWay(ctx)
	if err != nil {
		return Merged{}, err
	}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return tally.MarkCustomersTx(ctx, tx, w.now, w.old) },
		func(ctx context.Context) error { return w.moveHistory(ctx, shared) },
		func(ctx context.Context) error { return tally.MarkCustomersTx(ctx, tx, w.now, w.survivor) },
		w.moveLookups, w.moveMemberships, w.moveConsents, w.copySuppressions, w.moveAliases, w.movePairs, w.joinPersons,
		func(ctx context.Context) error { return s.writeCustomer(ctx, w, choices) }, w.markConflicts,
	} {
		if err := step(ctx); err != nil {
			return Merged{}, err
		}
	}
	w.before.Counts = w.moved()
	mergeID := id.New()
	if err := w.exec(ctx, `INSERT INTO customer_aliases (old_id, customer_id, merge_id) VALUES (@old, @survivor, @merge)`,
		pgx.NamedArgs{"merge": mergeID}); err != nil {
		return Merged{}, err
	}
	if err := w.exec(ctx, `
		INSERT INTO customer_merges (customer_id, merge_id, old_id, merged_at, merged_by, fields, before)
		VALUES (@survivor, @merge, @old, @now, @by, @fields, @before)`, pgx.NamedArgs{"merge": mergeID, "by": access.From(ctx).String(),
		"fields": choices, "before": w.before}); err != nil {
		return Merged{}, err
	}
	if open {
		if _, err := s.Jobs.InsertTx(ctx, tx, customers.MergedArgs{CustomerIDs: []int64{survivor, old}}, nil); err != nil {
			return Merged{}, err
		}
	}
	if err := audit.RecordTx(ctx, tx, w.now, "customer.merge", "customer", survivor, map[string]any{
		"old": old, "merge": mergeID, "rows": w.before.Counts}); err != nil {
		return Merged{}, err
	}
	return load(ctx, tx, mergeID)
}

// lock reads both customers and keeps them until the end.
func (w *work) lock(ctx context.Context) error {
	if w.survivor == w.old {
		return fault.BadField("old", "a customer cannot be merged with itself")
	}
	found, err := w.rows(ctx, `SELECT to_jsonb(c) FROM customers c WHERE c.customer_id IN (@survivor, @old) ORDER BY c.customer_id FOR UPDATE`, nil)
	if err != nil {
		return err
	}
	for _, r := range found {
		if r.number("customer_id") == w.survivor {
			w.before.Survivor = r
		} else {
			w.before.Old = r
		}
	}
	for number, r := range map[int64]row{w.survivor: w.before.Survivor, w.old: w.before.Old} {
		if r != nil {
			continue
		}
		now, err := customers.Resolve(ctx, w.tx, number)
		if err != nil {
			return err
		}
		if now != number {
			return fault.New(fault.Conflict, "Customer %d was merged into customer %d before", number, now)
		}
		return fault.New(fault.NotFound, "There is no customer %d", number)
	}
	return nil
}

// moveHistory carries over orders, responses and contacts; campaigns in which both took part are left as they are.
func (w *work) moveHistory(ctx context.Context, shared []int64) error {
	if err := customers.HoldHitsTx(ctx, w.tx); err != nil {
		return err
	}
	args := pgx.NamedArgs{"shared": shared}
	for _, t := range history {
		where := "true"
		if t.campaign != "" {
			where = "coalesce(NOT " + t.campaign + " = ANY(@shared::bigint[]), true)"
		}
		keys, err := w.carry(ctx, t, w.old, w.survivor, where, args)
		if err != nil {
			return err
		}
		w.before.Moved[t.name] = keys
	}
	for _, k := range w.before.Moved["enrollments"] {
		w.before.Walks = append(w.before.Walks, k.number("campaign_id"))
	}
	called, err := w.rows(ctx, `UPDATE calls SET customer_id = @survivor WHERE customer_id = @old AND NOT campaign_id = ANY(@shared::bigint[])
		RETURNING jsonb_build_object('call_id', call_id)`, args)
	if err != nil {
		return err
	}
	w.before.Moved["calls"] = called
	if err := w.follow(ctx, w.old, w.survivor, w.before.Moved["orders"], w.before.Moved["responses"], w.before.Moved["events"]); err != nil {
		return err
	}
	// Who walks a journey twice goes on as the survivor only.
	left, err := w.rows(ctx, `SELECT to_jsonb(e) FROM enrollments e WHERE e.customer_id = @old AND e.state = 'active' ORDER BY e.campaign_id FOR UPDATE`, nil)
	if err != nil || len(left) == 0 {
		return err
	}
	w.before.Kept["enrollments"] = left
	return w.exec(ctx, `UPDATE enrollments SET state = 'left', reason = 'merged', step_id = NULL, due_at = NULL, updated_at = @now
		WHERE customer_id = @old AND state = 'active'`, nil)
}

// follow lets the look-ups of orders, responses and events follow them.
func (w *work) follow(ctx context.Context, from, to int64, orders, responses, events []row) error {
	if len(orders) > 0 {
		if err := w.exec(ctx, `UPDATE order_refs t SET customer_id = @to WHERE t.customer_id = @from
			AND t.order_ref IN (SELECT k.order_ref FROM jsonb_populate_recordset(NULL::orders, @keys::jsonb) k)`,
			pgx.NamedArgs{"from": from, "to": to, "keys": orders}); err != nil {
			return err
		}
	}
	if len(events) > 0 {
		if err := w.exec(ctx, `UPDATE event_refs t SET customer_id = @to WHERE t.customer_id = @from
			AND t.event_id IN (SELECT k.event_id FROM jsonb_populate_recordset(NULL::events, @keys::jsonb) k)`,
			pgx.NamedArgs{"from": from, "to": to, "keys": events}); err != nil {
			return err
		}
	}
	if len(responses) == 0 {
		return nil
	}
	return w.exec(ctx, `UPDATE response_refs t SET customer_id = @to WHERE t.customer_id = @from AND t.customer_id <> 0
		AND t.response_id IN (SELECT k.response_id FROM jsonb_populate_recordset(NULL::responses, @keys::jsonb) k)`,
		pgx.NamedArgs{"from": from, "to": to, "keys": responses})
}

// moveLookups lets the old one's values find the survivor: the ones it has now, and those it took over itself.
func (w *work) moveLookups(ctx context.Context) error {
	for _, l := range lookups {
		values := []string{w.before.Old.text(l.value)}
		if l.normal == "lower" {
			values[0] = strings.ToLower(values[0])
		}
		rows, err := w.rows(ctx, `
			SELECT to_jsonb(t) FROM `+l.name+` t WHERE t.customer_id = @old AND (t.`+l.value+` = ANY(@values::text[]) OR t.`+l.value+` IN (
				SELECT k->>'`+l.value+`' FROM customer_merges m, jsonb_array_elements(m.before->'kept'->'`+l.name+`') k
				WHERE m.customer_id = @old AND m.undone_at IS NULL))
			ORDER BY t.`+l.value, pgx.NamedArgs{"values": values})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			continue
		}
		w.before.Kept[l.name] = rows
		args := pgx.NamedArgs{"rows": rows}
		const given = `(SELECT k.%s FROM jsonb_populate_recordset(NULL::%t, @rows::jsonb) k)`
		in := strings.NewReplacer("%s", l.value, "%t", l.name).Replace(given)
		if !l.shared {
			if err := w.exec(ctx, `UPDATE `+l.name+` SET customer_id = @survivor WHERE customer_id = @old AND `+l.value+` IN `+in, args); err != nil {
				return err
			}
			continue
		}
		moved, err := w.rows(ctx, `INSERT INTO `+l.name+` (`+l.value+`, customer_id) SELECT x.v, @survivor FROM `+in+` AS x (v)
			ON CONFLICT DO NOTHING RETURNING jsonb_build_object('`+l.value+`', `+l.value+`)`, args)
		if err != nil {
			return err
		}
		w.before.Moved[l.name] = moved
		if err := w.exec(ctx, `DELETE FROM `+l.name+` WHERE customer_id = @old AND `+l.value+` IN `+in, args); err != nil {
			return err
		}
	}
	return nil
}

// memberships are tables whose rows of both become one set.
var memberships = []struct{ name, key string }{{"list_members", "list_id"}, {"customer_identities", "identity"}}

func (w *work) moveMemberships(ctx context.Context) error {
	for _, m := range memberships {
		kept, err := w.rows(ctx, `SELECT to_jsonb(t) FROM `+m.name+` t WHERE t.customer_id = @old ORDER BY t.`+m.key, nil)
		if err != nil {
			return err
		}
		if len(kept) == 0 {
			continue
		}
		plain, read := w.others(m.name)
		moved, err := w.rows(ctx, `INSERT INTO `+m.name+` (customer_id, `+plain+`) SELECT @survivor, `+read+` FROM `+m.name+` t WHERE t.customer_id = @old
			ON CONFLICT DO NOTHING RETURNING jsonb_build_object('`+m.key+`', `+m.key+`)`, nil)
		if err != nil {
			return err
		}
		if err := w.exec(ctx, `DELETE FROM `+m.name+` WHERE customer_id = @old`, nil); err != nil {
			return err
		}
		w.before.Kept[m.name], w.before.Moved[m.name] = kept, moved
	}
	return nil
}

const consentsOf = `SELECT to_jsonb(t) FROM consents t WHERE t.customer_id = @of ORDER BY t.channel`

// moveConsents keeps the latest word on each channel; of two at the same moment the no.
func (w *work) moveConsents(ctx context.Context) (err error) {
	of := func(customer int64) pgx.NamedArgs { return pgx.NamedArgs{"of": customer} }
	if w.before.Kept["consents"], err = w.rows(ctx, consentsOf, of(w.old)); err != nil || len(w.before.Kept["consents"]) == 0 {
		return err
	}
	if w.before.Consents.Before, err = w.rows(ctx, consentsOf, of(w.survivor)); err != nil {
		return err
	}
	if err := w.exec(ctx, `
		INSERT INTO consents AS c (customer_id, channel, granted, source, at)
		SELECT @survivor, o.channel, o.granted, o.source, o.at FROM consents o WHERE o.customer_id = @old ORDER BY o.channel
		ON CONFLICT (customer_id, channel) DO UPDATE SET granted = excluded.granted, source = excluded.source, at = excluded.at
		WHERE excluded.at > c.at OR excluded.at = c.at AND c.granted AND NOT excluded.granted`, nil); err != nil {
		return err
	}
	if err := w.exec(ctx, `DELETE FROM consents WHERE customer_id = @old`, nil); err != nil {
		return err
	}
	w.before.Consents.After, err = w.rows(ctx, consentsOf, of(w.survivor))
	return err
}

const suppressionsOf = `SELECT to_jsonb(t) FROM suppressions t WHERE t.scope = 'customer' AND t.match_key = @key ORDER BY t.channel`

// copySuppressions lets what was said of the old number hold for the survivor; of two on one channel the longer one holds.
func (w *work) copySuppressions(ctx context.Context) error {
	key := func(customer int64) pgx.NamedArgs { return pgx.NamedArgs{"key": strconv.FormatInt(customer, 10)} }
	rows, err := w.rows(ctx, suppressionsOf, key(w.old))
	if err != nil || len(rows) == 0 {
		return err
	}
	if w.before.Suppressions.Before, err = w.rows(ctx, suppressionsOf, key(w.survivor)); err != nil {
		return err
	}
	for _, r := range rows {
		r.set("match_key", strconv.FormatInt(w.survivor, 10))
		r.set("value", strconv.FormatInt(w.survivor, 10))
		r.set("suppression_id", id.New())
	}
	if err := w.insert(ctx, "suppressions", rows, `ON CONFLICT (scope, match_key, channel) DO UPDATE SET
		expires_at = CASE WHEN suppressions.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL ELSE greatest(suppressions.expires_at, excluded.expires_at) END,
		effective_at = CASE WHEN suppressions.effective_at IS NULL OR excluded.effective_at IS NULL THEN NULL
			ELSE least(suppressions.effective_at, excluded.effective_at) END`); err != nil {
		return err
	}
	w.before.Suppressions.After, err = w.rows(ctx, suppressionsOf, key(w.survivor))
	return err
}

func (w *work) moveAliases(ctx context.Context) error {
	found, err := w.tx.Query(ctx, `UPDATE customer_aliases SET customer_id = @survivor WHERE customer_id = @old RETURNING old_id`, w.args(nil))
	if err != nil {
		return err
	}
	w.before.Aliases, err = pgx.CollectRows(found, pgx.RowTo[int64])
	slices.Sort(w.before.Aliases)
	return err
}

// writeCustomer deletes the old customer and gives the survivor what was chosen.
func (s *Service) writeCustomer(ctx context.Context, w *work, choices []Choice) error {
	if err := s.Customers.LeaveHouseholdTx(ctx, w.tx, w.old); err != nil {
		return err
	}
	if err := w.exec(ctx, `DELETE FROM customers WHERE customer_id = @old`, nil); err != nil {
		return err
	}
	merged := mergedRow(w.before.Survivor, w.before.Old, choices, w.now)
	delete(merged, "person_id") // joinPersons has said it
	if err := w.update(ctx, merged); err != nil {
		return err
	}
	if mixedHousehold(w.before.Survivor, w.before.Old, choices) {
		if err := s.Customers.RekeyTx(ctx, w.tx, []int64{w.survivor}); err != nil {
			return err
		}
	}
	if err := w.derive(ctx, w.survivor); err != nil {
		return err
	}
	after, err := w.rows(ctx, `SELECT to_jsonb(c) FROM customers c WHERE c.customer_id = @survivor`, nil)
	if err != nil {
		return err
	}
	w.before.After = after[0]
	return nil
}

// update writes the survivor's row.
func (w *work) update(ctx context.Context, r row) error {
	r = only([]row{r}, w.columns["customers"])[0]
	delete(r, "customer_id")
	columns := strings.Join(r.columns(), ", ")
	return w.exec(ctx, `UPDATE customers SET (`+columns+`) = (SELECT `+columns+` FROM jsonb_populate_record(NULL::customers, @row::jsonb))
		WHERE customer_id = @survivor`, pgx.NamedArgs{"row": r})
}

// moved counts the rows by table.
func (w *work) moved() map[string]int {
	counts := map[string]int{}
	for name, rows := range w.before.Moved {
		if len(rows) > 0 {
			counts[name] = len(rows)
		}
	}
	for _, name := range []string{"consents", "customer_external_ids"} {
		if n := len(w.before.Kept[name]); n > 0 {
			counts[name] = n
		}
	}
	return counts
}

func load(ctx context.Context, q customers.Querier, mergeID uuid.UUID) (Merged, error) {
	rows, err := q.Query(ctx, `SELECT `+mergedColumns+` FROM customer_merges m WHERE m.merge_id = @id`, pgx.NamedArgs{"id": mergeID})
	if err != nil {
		return Merged{}, err
	}
	m, err := pgx.CollectExactlyOneRow(rows, scanMerged)
	if errors.Is(err, pgx.ErrNoRows) {
		return Merged{}, fault.New(fault.NotFound, "There is no merge %s", mergeID)
	}
	return m, err
}

const mergedColumns = `m.merge_id::text, m.customer_id, m.old_id, m.merged_at, m.merged_by, m.fields, coalesce(m.before->'counts', '{}'),
	m.undone_at, coalesce(m.undone_by, '')`

func scanMerged(r pgx.CollectableRow) (m Merged, err error) {
	return m, r.Scan(&m.ID, &m.SurvivorID, &m.OldID, &m.At, &m.By, &m.Fields, &m.Moved, &m.UndoneAt, &m.UndoneBy)
}

// Merges lists a customer's merges, the newest first: those into it, and those into customers who are part of it by now; also
// the ones undone. An old number gives those of its survivor.
func (s *Service) Merges(ctx context.Context, customerID int64) ([]Merged, error) {
	now, err := customers.Resolve(ctx, s.Pool, customerID)
	if err != nil {
		return nil, err
	}
	rows, err := s.Pool.Query(ctx, `SELECT `+mergedColumns+` FROM customer_merges m
		WHERE m.customer_id = @id OR m.customer_id IN (SELECT old_id FROM customer_aliases WHERE customer_id = @id)
		ORDER BY m.merged_at DESC, m.merge_id DESC`, pgx.NamedArgs{"id": now})
	if err != nil {
		return nil, err
	}
	merges, err := pgx.CollectRows(rows, scanMerged)
	for i := range merges {
		if merges[i].Fields, err = s.seen(ctx, merges[i].Fields); err != nil {
			return nil, err
		}
	}
	return merges, err
}
