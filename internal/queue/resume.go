package queue

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

// Resume inserts a job for each number that a query gives: for runs that were under way when a process died, at the start of a program.
// The errors are those of the database.
func Resume(ctx context.Context, pool *pgxpool.Pool, jobs *Client, query string, args func(run int64) river.JobArgs) error {
	rows, err := pool.Query(ctx, query)
	if err != nil {
		return err
	}
	runs, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for _, run := range runs {
		if _, err := jobs.Insert(ctx, args(run), nil); err != nil {
			return err
		}
	}
	return nil
}
