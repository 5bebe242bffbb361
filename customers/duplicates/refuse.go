package duplicates

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
)

// shared gives the campaigns in which both took part. The old one's rows there stay under the old number: the report counts
// contacts and people, and must not change.
func (w *work) shared(ctx context.Context) ([]int64, error) {
	const of = `(SELECT campaign_id FROM enrollments WHERE customer_id = @%s UNION SELECT campaign_id FROM touches WHERE customer_id = @%s
		UNION SELECT campaign_id FROM responses WHERE customer_id = @%s AND campaign_id IS NOT NULL
		UNION SELECT campaign_id FROM calls WHERE customer_id = @%s)`
	rows, err := w.tx.Query(ctx, `SELECT campaign_id FROM (`+fmt.Sprintf(of, "survivor", "survivor", "survivor", "survivor")+` INTERSECT `+
		fmt.Sprintf(of, "old", "old", "old", "old")+`) x ORDER BY campaign_id`, w.args(nil))
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if ids == nil {
		ids = []int64{}
	}
	return ids, err
}

// refusal tells why a merge has to wait, "" where it need not: a message that is just being sent is settled under the number it was
// claimed by, and a campaign that is still taking in its audience would lose its place.
func (w *work) refusal(ctx context.Context, shared []int64) (string, error) {
	if why, err := w.inTheWay(ctx, w.old, `NOT t.campaign_id = ANY(@campaigns::bigint[])`, `NOT e.campaign_id = ANY(@campaigns::bigint[])`, shared, nil); why != "" || err != nil {
		return why, err
	}
	return w.awaited(ctx)
}

// awaited refuses a customer who is in the frozen audience of a campaign and has still to enter.
func (w *work) awaited(ctx context.Context) (string, error) {
	var name string
	err := w.tx.QueryRow(ctx, `
		SELECT c.name FROM campaigns c JOIN audience_slices a ON a.campaign_id = c.campaign_id AND @old BETWEEN a.first_id AND a.last_id
		WHERE c.entry_done_at IS NULL AND c.state IN ('running', 'paused') AND @old = ANY(a.customer_ids)
			AND NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.customer_id = @old AND e.campaign_id = c.campaign_id)
		ORDER BY c.campaign_id LIMIT 1`, w.args(nil)).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return fmt.Sprintf("The campaign “%s” is still taking in its audience, customer %d among it; try again when it has", name, w.old), err
}

func (w *work) inTheWay(ctx context.Context, customer int64, touches, enrollments string, campaigns []int64, more pgx.NamedArgs) (string, error) {
	if campaigns == nil {
		campaigns = []int64{}
	}
	args := w.args(more)
	args["customer"], args["campaigns"] = customer, campaigns
	// Locked, so that none is claimed between the look and the move.
	if _, err := w.tx.Exec(ctx, `SELECT 1 FROM touches t WHERE t.customer_id = @customer AND t.state IN ('planned', 'sending')
		ORDER BY t.campaign_id, t.step_id FOR UPDATE`, args); err != nil {
		return "", err
	}
	var name string
	err := w.tx.QueryRow(ctx, `
		SELECT c.name FROM touches t JOIN campaigns c ON c.campaign_id = t.campaign_id
		WHERE t.customer_id = @customer AND t.state = 'sending' AND t.channel <> 'calls' AND `+touches+` ORDER BY c.campaign_id LIMIT 1`, args).Scan(&name)
	if err == nil {
		return fmt.Sprintf("A message of the campaign “%s” to customer %d is just being sent; try again in a minute", name, customer), nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return "", err
	}
	err = w.tx.QueryRow(ctx, `
		SELECT c.name FROM enrollments e JOIN campaigns c ON c.campaign_id = e.campaign_id
		WHERE e.customer_id = @customer AND e.state = 'active' AND c.entry_done_at IS NULL AND c.state IN ('running', 'paused') AND `+enrollments+`
		ORDER BY c.campaign_id LIMIT 1`, args).Scan(&name)
	if err == nil {
		return fmt.Sprintf("The campaign “%s” is still taking in its audience, customer %d among it; try again when it has", name, customer), nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return "", err
	}
	return "", nil
}

// underWay tells whether something is planned for the old customer or walks a journey.
func (w *work) underWay(ctx context.Context) (open bool, err error) {
	err = w.tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM touches WHERE customer_id = @old AND state IN ('planned', 'sending'))
		OR EXISTS (SELECT 1 FROM enrollments WHERE customer_id = @old AND state = 'active')`, w.args(nil)).Scan(&open)
	return open, err
}

// seen leaves out the attributes that the actor may not see.
func (s *Service) seen(ctx context.Context, fields []Choice) ([]Choice, error) {
	hidden, err := customers.Hidden(ctx, s.Pool)
	return slices.DeleteFunc(fields, func(c Choice) bool { return hidden[strings.TrimPrefix(c.Field, "attributes.")] }), err
}

// hideEvidence leaves out what attributes say of pairs that the actor may not see.
func (s *Service) hideEvidence(ctx context.Context, pairs []Pair) error {
	hidden, err := customers.Hidden(ctx, s.Pool)
	if err != nil || len(hidden) == 0 {
		return err
	}
	facts := map[string]bool{}
	for name := range hidden {
		facts[customers.MatchFact(name)] = true
	}
	for i := range pairs {
		pairs[i].Evidence = slices.DeleteFunc(pairs[i].Evidence, func(e Evidence) bool { return facts[e.Field] })
	}
	return nil
}

// PreviewMerge tells what Merge would do; choose as there.
func (s *Service) PreviewMerge(ctx context.Context, survivor, old int64, choose map[string]string) (Preview, error) {
	p := Preview{SurvivorID: survivor, OldID: old, Campaigns: []string{}}
	tx, err := s.Pool.Begin(ctx)
	if err != nil {
		return p, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing is changed
	w, err := begin(ctx, tx, s.Now(), survivor, old)
	if err != nil {
		return p, err
	}
	if err := w.lock(ctx); err != nil {
		return p, err
	}
	if p.Fields, err = chooseFields(w.before.Survivor, w.before.Old, choose); err != nil {
		return p, err
	}
	if p.Fields, err = s.seen(ctx, p.Fields); err != nil {
		return p, err
	}
	p.Conflict = conflictOf(w.before.Survivor, w.before.Old)
	shared, err := w.shared(ctx)
	if err != nil {
		return p, err
	}
	if p.Refused, err = w.refusal(ctx, shared); err != nil {
		return p, err
	}
	rows, err := tx.Query(ctx, `SELECT name FROM campaigns WHERE campaign_id = ANY(@ids) ORDER BY campaign_id`, pgx.NamedArgs{"ids": shared})
	if err != nil {
		return p, err
	}
	if names, err := pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return p, err
	} else if names != nil {
		p.Campaigns = names
	}
	return p, nil
}
