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

// HoldImportsTx keeps imports from storing customers until the transaction ends, and waits for the chunk that is just being stored: who
// merges customers calls it first, lest a row joins a customer who is going to a list.
func HoldImportsTx(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared(@key)`, pgx.NamedArgs{"key": lockCustomers})
	return err
}

// lockMerges is held by a merge until it is done.
const lockMerges = 0x41_4c_44_0a

// HoldMergesTx keeps customers from being merged until the transaction ends, and waits for merges that are under way: who takes down
// numbers of customers calls it before the look, lest one of them is gone, and who has come in for it is not seen.
func HoldMergesTx(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared(@key)`, pgx.NamedArgs{"key": lockMerges})
	return err
}

// MergingTx says that the transaction merges customers, and waits for those who hold merges. A merge calls it before it looks.
func MergingTx(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(@key)`, pgx.NamedArgs{"key": lockMerges})
	return err
}
