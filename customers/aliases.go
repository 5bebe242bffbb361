package customers

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
)

// MergedArgs tells that customers became one, or two again, while something was under way for them: contacts planned under a
// number that is no customer any more are left out, those of a customer get the jobs that send them, and journeys that moved
// go on. The worker is in package delivery.
type MergedArgs struct {
	CustomerIDs []ID `json:"customer_ids"`
}

// Kind names the job.
func (MergedArgs) Kind() string { return "customers_merged" }

// InsertOpts names the queue.
func (MergedArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Journeys} }

// Resolve gives the number that a customer has now: the survivor's where they were merged into another, else the number itself.
func Resolve(ctx context.Context, q Querier, id ID) (ID, error) {
	now, err := ResolveAll(ctx, q, []ID{id})
	if err != nil {
		return 0, err
	}
	if survivor, ok := now[id]; ok {
		return survivor, nil
	}
	return id, nil
}

// ResolveAll gives the survivors of those among the numbers that are aliases.
func ResolveAll(ctx context.Context, q Querier, ids []ID) (map[ID]ID, error) {
	rows, err := q.Query(ctx, `SELECT old_id, customer_id FROM customer_aliases WHERE old_id = ANY(@ids) ORDER BY old_id`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, err
	}
	var old, survivor ID
	m := map[ID]ID{}
	_, err = pgx.ForEachRow(rows, []any{&old, &survivor}, func() error {
		m[old] = survivor
		return nil
	})
	return m, err
}

// Aliases gives the numbers that a customer had before merges.
func Aliases(ctx context.Context, q Querier, id ID) ([]ID, error) {
	rows, err := q.Query(ctx, `SELECT old_id FROM customer_aliases WHERE customer_id = @id ORDER BY old_id`, pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[ID])
}

// forgetMergesTx takes away what merges and searches for duplicates keep of a customer who is erased: the values of those
// who were merged into it, their look-ups, and the contents of rows that stayed under their numbers. Numbers and dates stay: a merge can then not
// be undone any more.
func forgetMergesTx(ctx context.Context, tx pgx.Tx, id ID) error {
	old, err := Aliases(ctx, tx, id)
	if err != nil {
		return err
	}
	args := pgx.NamedArgs{"id": id, "all": append(old, id), "old": old}
	for _, sql := range []string{
		`DELETE FROM customer_external_ids WHERE customer_id = @id AND external_id IN (SELECT k->>'external_id'
			FROM customer_merges m, jsonb_array_elements(m.before->'kept'->'customer_external_ids') k WHERE m.customer_id = ANY(@all))`,
		`DELETE FROM customer_emails WHERE customer_id = @id AND email IN (SELECT k->>'email'
			FROM customer_merges m, jsonb_array_elements(m.before->'kept'->'customer_emails') k WHERE m.customer_id = ANY(@all))`,
		`DELETE FROM customer_phones WHERE customer_id = @id AND phone IN (SELECT k->>'phone'
			FROM customer_merges m, jsonb_array_elements(m.before->'kept'->'customer_phones') k WHERE m.customer_id = ANY(@all))`,
		`DELETE FROM duplicates WHERE customer_id = ANY(@all)`,
		`DELETE FROM duplicates WHERE other_id = ANY(@all)`,
		`UPDATE customer_merges SET fields = '[]', before = '{}' WHERE customer_id = ANY(@all) OR old_id = @id`,
		`UPDATE touches SET destination = NULL WHERE customer_id = ANY(@old) AND destination IS NOT NULL`,
		`UPDATE calls SET phone = '', note = '' WHERE customer_id = ANY(@old)`,
		`UPDATE call_attempts SET note = '' WHERE customer_id = ANY(@old) AND note <> ''`,
		`UPDATE responses SET detail = '{}' WHERE customer_id = ANY(@old) AND detail <> '{}'`,
	} {
		if _, err := tx.Exec(ctx, sql, args); err != nil {
			return err
		}
	}
	return nil
}
