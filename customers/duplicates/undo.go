package duplicates

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/tally"
)

// Undo takes a merge back: every row is as it was, what has come for the survivor since stays with the survivor, and so do
// values that were edited since; those are named in Kept. NotFound where there is no such merge; Conflict where it was undone
// before, where a later merge has to be undone first, or where somebody else has an external id meanwhile.
func (s *Service) Undo(ctx context.Context, mergeID string) (Merged, error) {
	parsed, err := uuid.Parse(mergeID)
	if err != nil {
		return Merged{}, fault.New(fault.NotFound, "There is no merge %s", strings.ToValidUTF8(mergeID, "?"))
	}
	var m Merged
	err = s.inTx(ctx, func(tx pgx.Tx) (err error) {
		m, err = s.undoTx(ctx, tx, parsed)
		return err
	})
	return m, err
}

func (s *Service) undoTx(ctx context.Context, tx pgx.Tx, mergeID uuid.UUID) (Merged, error) {
	m, err := load(ctx, tx, mergeID)
	if err != nil {
		return m, err
	}
	w, err := begin(ctx, tx, s.Now(), m.SurvivorID, m.OldID)
	if err != nil {
		return m, err
	}
	current, err := w.lockUndo(ctx, mergeID)
	if err != nil {
		return m, err
	}
	var kept []string
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { kept, err = s.restoreCustomers(ctx, w, current); return err },
		func(ctx context.Context) error { return tally.MarkCustomersTx(ctx, tx, w.now, w.survivor) },
		w.returnHistory,
		func(ctx context.Context) error { return tally.MarkCustomersTx(ctx, tx, w.now, w.old) },
		w.returnLookups, w.returnMemberships,
		func(ctx context.Context) error {
			edited, err := w.returnChange(ctx, "consents", consentsOf, "of", w.survivor, w.before.Consents, `customer_id = @survivor`)
			kept = append(kept, edited...)
			return err
		},
		func(ctx context.Context) error {
			edited, err := w.returnChange(ctx, "suppressions", suppressionsOf, "key", strconv.FormatInt(w.survivor, 10), w.before.Suppressions,
				`scope = 'customer' AND match_key = (@survivor::bigint)::text`)
			kept = append(kept, edited...)
			return err
		},
		w.returnAliases, w.returnPairs, w.returnPersons,
		func(ctx context.Context) error { // their spellings may have come together with others since
			if err := s.Customers.NoteHouseholdsTx(ctx, w.tx, []int64{w.survivor, w.old}, nil); err != nil {
				return err
			}
			return s.Customers.QueueHouseholdsTx(ctx, w.tx)
		},
		func(ctx context.Context) error { return w.derive(ctx, w.survivor, w.old) },
	} {
		if err := step(ctx); err != nil {
			return m, err
		}
	}
	if err := w.exec(ctx, `UPDATE customer_merges SET undone_at = @now, undone_by = @by, before = jsonb_build_object('counts', before->'counts') WHERE customer_id = @survivor AND merge_id = @merge`,
		pgx.NamedArgs{"by": access.From(ctx).String(), "merge": mergeID}); err != nil {
		return m, err
	}
	if _, err := s.Jobs.InsertTx(ctx, tx, customers.MergedArgs{CustomerIDs: []int64{w.survivor, w.old}}, nil); err != nil {
		return m, err
	}
	if err := audit.RecordTx(ctx, tx, w.now, "customer.unmerge", "customer", w.survivor, map[string]any{
		"old": w.old, "merge": mergeID, "edited_since": kept}); err != nil {
		return m, err
	}
	moved := m.Moved
	m, err = load(ctx, tx, mergeID)
	m.Kept, m.Moved = kept, moved
	return m, err
}

// lockUndo checks that the merge can be undone, reads what was written down, and gives the survivor's row as it is.
func (w *work) lockUndo(ctx context.Context, mergeID uuid.UUID) (row, error) {
	found, err := w.rows(ctx, `SELECT to_jsonb(c) FROM customers c WHERE c.customer_id = @survivor FOR UPDATE`, nil)
	if err != nil {
		return nil, err
	}
	var undone bool
	if err := w.tx.QueryRow(ctx, `SELECT undone_at IS NOT NULL, before FROM customer_merges WHERE customer_id = @survivor AND merge_id = @merge FOR UPDATE`,
		w.args(pgx.NamedArgs{"merge": mergeID})).Scan(&undone, &w.before); err != nil {
		return nil, err
	}
	if undone {
		return nil, fault.New(fault.Conflict, "This merge was undone before")
	}
	if len(found) == 0 {
		now, err := customers.Resolve(ctx, w.tx, w.survivor)
		if err != nil {
			return nil, err
		}
		if now != w.survivor {
			return nil, fault.New(fault.Conflict, "Customer %d was merged into customer %d later; undo that merge first", w.survivor, now)
		}
	}
	if len(found) == 0 || w.before.Old == nil {
		return nil, fault.New(fault.Conflict, "The customer was erased; nothing is left from which the merge could be undone")
	}
	var later int64
	err = w.tx.QueryRow(ctx, `SELECT old_id FROM customer_merges WHERE customer_id = @survivor AND undone_at IS NULL ORDER BY merged_at DESC, merge_id DESC LIMIT 1`,
		w.args(nil)).Scan(&later)
	if err != nil {
		return nil, err
	}
	if later != w.old {
		return nil, fault.New(fault.Conflict, "Customer %d was merged into customer %d later than this one; undo that merge first", later, w.survivor)
	}
	if w.before.Moved == nil {
		w.before.Moved = map[string][]row{}
	}
	why, err := w.inTheWay(ctx, w.survivor, `(t.campaign_id = ANY(@campaigns::bigint[]) OR (t.campaign_id, t.step_id) IN (
		SELECT k.campaign_id, k.step_id FROM jsonb_populate_recordset(NULL::touches, @moved::jsonb) k))`, `false`, w.before.Walks,
		pgx.NamedArgs{"moved": w.before.rowsOf("touches")})
	if err != nil {
		return nil, err
	}
	if why != "" {
		return nil, fault.New(fault.Conflict, "%s", why)
	}
	return found[0], nil
}

// rowsOf gives the keys moved in a table, never nil.
func (b *before) rowsOf(name string) []row {
	if rows := b.Moved[name]; rows != nil {
		return rows
	}
	return []row{}
}

// restoreCustomers puts both rows back. It names the fields of the survivor that were edited since the merge: they stay.
func (s *Service) restoreCustomers(ctx context.Context, w *work, current row) ([]string, error) {
	was, after, to := w.before.Survivor, w.before.After, row{}
	var kept []string
	address, name, company := false, false, false
	for _, f := range fieldsOf(was, current) {
		from := was
		if !f.same(current, after) {
			from = current
			kept = append(kept, f.name)
			address, name, company = address || f.name == addressField, name || f.name == "last_name", company || f.name == "company"
		}
		for _, c := range f.columns {
			to[c] = from[c]
		}
	}
	for _, c := range []string{"list_id", "created_at", "rented"} {
		if to[c] = was[c]; !current.same(after, c) {
			to[c] = current[c]
		}
	}
	for _, c := range []string{"address_hash", "residence_id", "household_id", "company_id"} {
		to[c] = was[c]
	}
	if address {
		to["address_hash"], to["residence_id"] = current["address_hash"], current["residence_id"]
	}
	if company {
		to["company_id"] = current["company_id"]
	}
	to["updated_at"] = was["updated_at"]
	if len(kept) > 0 {
		to.set("updated_at", w.now)
	}
	for c, v := range to {
		if v == nil {
			to[c] = jsonNull // a column that came later
		}
	}
	if err := w.update(ctx, to); err != nil {
		return nil, err
	}
	old := w.before.Old.clone()
	delete(old, "person_id") // returnPersons says it
	if err := w.insert(ctx, "customers", []row{old}, ""); err != nil {
		return nil, err
	}
	if address || name {
		return kept, s.Customers.RekeyTx(ctx, w.tx, []int64{w.survivor})
	}
	return kept, nil
}

// returnHistory carries back what moved, and what has come since for a journey that moved.
func (w *work) returnHistory(ctx context.Context) error {
	if err := customers.HoldHitsTx(ctx, w.tx); err != nil {
		return err
	}
	walks := w.before.Walks
	if walks == nil {
		walks = []int64{}
	}
	args := pgx.NamedArgs{"walks": walks, "orders": w.before.rowsOf("orders")}
	var responses []row
	for _, t := range history {
		args["keys"] = w.before.rowsOf(t.name)
		where := t.among("keys")
		switch {
		case t.with != "": // lines may be others by now
			where = `t.order_ref IN (SELECT k.order_ref FROM jsonb_populate_recordset(NULL::orders, @orders::jsonb) k)`
		case t.campaign != "":
			where = `(` + t.campaign + ` = ANY(@walks::bigint[]) OR ` + where + `)`
		}
		keys, err := w.carry(ctx, t, w.survivor, w.old, where, args)
		if err != nil {
			return err
		}
		if t.name == "responses" {
			responses = keys
		}
	}
	args["keys"] = w.before.rowsOf("calls")
	if err := w.exec(ctx, `UPDATE calls SET customer_id = @old WHERE customer_id = @survivor AND (campaign_id = ANY(@walks::bigint[])
		OR call_id IN (SELECT k.call_id FROM jsonb_populate_recordset(NULL::calls, @keys::jsonb) k))`, args); err != nil {
		return err
	}
	if err := w.follow(ctx, w.survivor, w.old, w.before.rowsOf("orders"), responses, w.before.rowsOf("events")); err != nil {
		return err
	}
	// A walk that the merge ended goes on, unless its campaign has ended meanwhile.
	left := w.before.Kept["enrollments"]
	if len(left) == 0 {
		return nil
	}
	plain, _ := w.others("enrollments")
	return w.exec(ctx, `
		UPDATE enrollments e SET (`+plain+`) = (SELECT `+plain+` FROM jsonb_populate_recordset(NULL::enrollments, @left::jsonb) k WHERE k.campaign_id = e.campaign_id)
		FROM campaigns c
		WHERE e.customer_id = @old AND e.state = 'left' AND e.reason = 'merged' AND c.campaign_id = e.campaign_id AND c.state NOT IN ('finished', 'cancelled')
			AND e.campaign_id IN (SELECT k.campaign_id FROM jsonb_populate_recordset(NULL::enrollments, @left::jsonb) k)`, pgx.NamedArgs{"left": left})
}

// returnLookups lets the old one's values find it again.
func (w *work) returnLookups(ctx context.Context) error {
	for _, l := range lookups {
		kept := w.before.Kept[l.name]
		if len(kept) == 0 {
			continue
		}
		args := pgx.NamedArgs{"rows": kept, "moved": w.before.rowsOf(l.name)}
		if !l.shared {
			var value string
			var other int64
			err := w.tx.QueryRow(ctx, `
				SELECT t.`+l.value+`, t.customer_id FROM `+l.name+` t WHERE t.`+l.value+` IN (SELECT k.`+l.value+` FROM jsonb_populate_recordset(NULL::`+l.name+`, @rows::jsonb) k)
					AND (t.customer_id <> @survivor OR EXISTS (SELECT 1 FROM customers c WHERE c.customer_id = @survivor AND c.`+l.value+` = t.`+l.value+`))
				ORDER BY t.`+l.value+` LIMIT 1`, w.args(args)).Scan(&value, &other)
			if err == nil {
				return fault.New(fault.Conflict, "The external id %s belongs to customer %d by now; give that customer another one first", value, other)
			}
			if !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			if err := w.insert(ctx, l.name, kept, `ON CONFLICT (`+l.value+`) DO UPDATE SET customer_id = excluded.customer_id`); err != nil {
				return err
			}
			continue
		}
		own := `c.` + l.value
		if l.normal != "" {
			own = l.normal + `(` + own + `)`
		}
		// What the survivor has come to have itself stays with it as well.
		if err := w.exec(ctx, `
			DELETE FROM `+l.name+` t WHERE t.customer_id = @survivor AND t.`+l.value+` IN (SELECT k.`+l.value+` FROM jsonb_populate_recordset(NULL::`+l.name+`, @moved::jsonb) k)
				AND NOT EXISTS (SELECT 1 FROM customers c WHERE c.customer_id = @survivor AND `+own+` = t.`+l.value+`)`, args); err != nil {
			return err
		}
		if err := w.insert(ctx, l.name, kept, `ON CONFLICT DO NOTHING`); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) returnMemberships(ctx context.Context) error {
	for _, m := range memberships {
		if err := w.exec(ctx, `DELETE FROM `+m.name+` t WHERE t.customer_id = @survivor
			AND t.`+m.key+` IN (SELECT k.`+m.key+` FROM jsonb_populate_recordset(NULL::`+m.name+`, @moved::jsonb) k)`,
			pgx.NamedArgs{"moved": w.before.rowsOf(m.name)}); err != nil {
			return err
		}
		if err := w.insert(ctx, m.name, w.before.Kept[m.name], `ON CONFLICT DO NOTHING`); err != nil {
			return err
		}
	}
	return nil
}

// returnChange puts back rows by channel that are as the merge left them, and names the others; of consents those of the old one too.
func (w *work) returnChange(ctx context.Context, name, read, parameter string, value any, c change, mine string) (edited []string, err error) {
	if len(c.After) > 0 {
		now, err := w.rows(ctx, read, pgx.NamedArgs{parameter: value})
		if err != nil {
			return nil, err
		}
		at := func(rows []row, channel string) row {
			if i := slices.IndexFunc(rows, func(r row) bool { return r.text("channel") == channel }); i >= 0 {
				return rows[i]
			}
			return nil
		}
		for _, after := range c.After {
			channel := after.text("channel")
			if current := at(now, channel); current == nil || !equal(current, after) {
				edited = append(edited, name+"."+channel)
				continue
			}
			if err := w.exec(ctx, `DELETE FROM `+name+` WHERE `+mine+` AND channel = @channel`, pgx.NamedArgs{"channel": channel}); err != nil {
				return nil, err
			}
			if was := at(c.Before, channel); was != nil {
				if err := w.insert(ctx, name, []row{was}, ""); err != nil {
					return nil, err
				}
			}
		}
	}
	return edited, w.insert(ctx, name, w.before.Kept[name], `ON CONFLICT DO NOTHING`)
}

func equal(a, b row) bool {
	for c := range a {
		if !a.same(b, c) {
			return false
		}
	}
	return true
}

func (w *work) returnAliases(ctx context.Context) error {
	if err := w.exec(ctx, `DELETE FROM customer_aliases WHERE old_id = @old`, nil); err != nil || len(w.before.Aliases) == 0 {
		return err
	}
	return w.exec(ctx, `UPDATE customer_aliases SET customer_id = @old WHERE old_id = ANY(@aliases::bigint[]) AND customer_id = @survivor`,
		pgx.NamedArgs{"aliases": w.before.Aliases})
}

func (w *work) returnPairs(ctx context.Context) error {
	if moved := w.before.rowsOf("duplicates"); len(moved) > 0 {
		if err := w.exec(ctx, `DELETE FROM duplicates d USING jsonb_populate_recordset(NULL::duplicates, @moved::jsonb) k
			WHERE d.customer_id = k.customer_id AND d.other_id = k.other_id`, pgx.NamedArgs{"moved": moved}); err != nil {
			return err
		}
	}
	if err := w.insert(ctx, "duplicates", w.before.Kept["duplicates"], `ON CONFLICT DO NOTHING`); err != nil {
		return err
	}
	return w.markConflicts(ctx)
}

// returnPersons gives everybody the group back that the merge took, as far as no search has said otherwise since.
func (w *work) returnPersons(ctx context.Context) error {
	var back []grouped
	ids := make([]int64, 0, len(w.before.Persons))
	for _, g := range w.before.Persons {
		ids = append(ids, g.ID)
	}
	rows, err := w.tx.Query(ctx, `SELECT customer_id, person_id FROM customers WHERE customer_id = ANY(@ids) ORDER BY customer_id FOR NO KEY UPDATE`,
		pgx.NamedArgs{"ids": ids})
	if err != nil {
		return err
	}
	now := map[int64]*int64{}
	var id int64
	var person *int64
	if _, err := pgx.ForEachRow(rows, []any{&id, &person}, func() error {
		if now[id] = nil; person != nil {
			p := *person
			now[id] = &p
		}
		return nil
	}); err != nil {
		return err
	}
	unchanged := true
	for _, g := range w.before.Persons {
		current, there := now[g.ID]
		if !there || (current == nil) != (g.After == nil) || current != nil && *current != *g.After {
			unchanged = false
		}
		back = append(back, grouped{ID: g.ID, After: g.Before})
	}
	if !unchanged {
		return nil
	}
	var old *int64
	if w.before.Old.known("person_id") {
		n := w.before.Old.number("person_id")
		old = &n
	}
	return setPersonsTx(ctx, w.tx, append(back, grouped{ID: w.old, After: old}))
}
