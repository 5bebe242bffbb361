package journey

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// ready tells whether a send step may be planned now. Where a group gets one piece and the best of its members is addressed, all
// must have come first: the audience is complete, and nobody of another slice is due at a step on the way. Steps that wait for
// the end of entry are kept in held; it pokes the slices. For others on the way the slice looks again soon.
func (w *walk) ready(ctx context.Context, s Step) (bool, error) {
	if !Grouped(s.Dedup) {
		return true, nil
	}
	if !w.campaign.entryDone {
		w.held = append(w.held, s.ID)
		return false, nil
	}
	before := w.before(s)
	if len(before) == 0 {
		return true, nil
	}
	var coming bool
	err := w.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM enrollments WHERE campaign_id = @campaign AND state = 'active' AND step_id = ANY (@before)
			AND due_at <= @now AND customer_id NOT BETWEEN @first AND @last)`, merge(w.args(), pgx.NamedArgs{"before": before})).Scan(&coming)
	return !coming, err
}

// before gives the steps from which a step can be reached.
func (w *walk) before(s Step) []int64 {
	leads := []string{s.Key}
	var ids []int64
	for i := len(w.steps) - 1; i >= 0; i-- { // in topological order, so one pass is enough
		at := w.steps[i]
		if slices.ContainsFunc(at.Config.exits(), func(e exit) bool { return slices.Contains(leads, e.to) }) {
			leads, ids = append(leads, at.Key), append(ids, at.ID)
		}
	}
	return ids
}
