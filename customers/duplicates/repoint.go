package duplicates

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aldine/internal/access"
)

// movePairs lets the old one's pairs become the survivor's. That somebody is not the old one holds for the survivor, too; of two
// open pairs the survivor's own stays.
func (w *work) movePairs(ctx context.Context) error {
	theirs, err := w.rows(ctx, `
		WITH a AS (DELETE FROM duplicates WHERE customer_id = @old RETURNING *), b AS (DELETE FROM duplicates WHERE other_id = @old RETURNING *)
		SELECT to_jsonb(a) FROM a UNION ALL SELECT to_jsonb(b) FROM b`, nil)
	if err != nil || len(theirs) == 0 {
		return err
	}
	var pairs []row
	var others []int64
	by := access.From(ctx).String()
	for _, p := range theirs {
		r := p.clone()
		other := p.number("customer_id")
		flipped := other != w.old
		if !flipped {
			other = p.number("other_id")
		}
		if other == w.survivor { // the pair itself
			r.set("state", StateMerged)
			r.set("decided_by", by)
			r.set("decided_at", w.now)
			pairs = append(pairs, r)
			continue
		}
		c := coupleOf(w.survivor, other)
		r.set("customer_id", c.A)
		r.set("other_id", c.B)
		if flipped != (c.B == w.survivor) {
			swapEvidence(r)
		}
		r.set("conflict", nil)
		pairs, others = append(pairs, r), append(others, other)
	}
	mine, err := w.rows(ctx, `
		SELECT to_jsonb(d) FROM duplicates d WHERE d.customer_id = @survivor AND d.other_id = ANY(@others::bigint[])
			OR d.other_id = @survivor AND d.customer_id = ANY(@others::bigint[])`, pgx.NamedArgs{"others": others})
	if err != nil {
		return err
	}
	// Both are put back by an undo: the first were taken away, the second may be changed.
	w.before.Kept["duplicates"] = append(theirs, mine...)
	for _, p := range pairs {
		w.before.Moved["duplicates"] = append(w.before.Moved["duplicates"], row{"customer_id": p["customer_id"], "other_id": p["other_id"]})
	}
	if err := w.insert(ctx, "duplicates", pairs, `ON CONFLICT (customer_id, other_id) DO UPDATE SET state = excluded.state,
		decided_by = excluded.decided_by, decided_at = excluded.decided_at WHERE duplicates.state = 'open' AND excluded.state = 'different'`); err != nil {
		return err
	}
	return nil
}

// markConflicts notes which pairs of a customer have two external ids.
func (w *work) markConflicts(ctx context.Context) error {
	return w.exec(ctx, `
		UPDATE duplicates d SET conflict = x.conflict
		FROM (SELECT p.customer_id, p.other_id, `+conflictSQL+` AS conflict
			FROM duplicates p JOIN customers a ON a.customer_id = p.customer_id JOIN customers b ON b.customer_id = p.other_id
			WHERE p.state = 'open' AND (p.customer_id = @survivor OR p.other_id = @survivor)) x
		WHERE d.customer_id = x.customer_id AND d.other_id = x.other_id AND d.conflict IS DISTINCT FROM x.conflict`, nil)
}

// conflictSQL says of customers a and b what conflictOf says of their rows.
const conflictSQL = `CASE WHEN a.external_id <> b.external_id THEN 'two external ids: ' || a.external_id || ' and ' || b.external_id END`

func swapEvidence(r row) {
	var evidence []Evidence
	if !r.into("evidence", &evidence) {
		return
	}
	for i, e := range evidence {
		evidence[i].A, evidence[i].B = e.B, e.A
		evidence[i].StandardA, evidence[i].StandardB = e.StandardB, e.StandardA
	}
	r.set("evidence", evidence)
}
