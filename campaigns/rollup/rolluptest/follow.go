// Package rolluptest lets tests of whatever changes campaigns find out whether the figures kept follow.
package rolluptest

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/campaigns/rollup"
	"aldine/internal/settings"
	"aldine/internal/tally"
)

func init() { tally.Bits = 0 }

// Follow folds all through a test, and fails it at the end where the figures kept of a campaign are not those that counting gives.
func Follow(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	config := rollup.ConfigOf(settings.Defaults())
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if err := rollup.Fold(ctx, pool, config, time.Now, time.Second); err != nil && ctx.Err() == nil {
				if pe := (*pgconn.PgError)(nil); !errors.As(err, &pe) || pe.Code != "42P01" { // a test took a table away
					t.Errorf("fold: %v", err)
				}
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		check(t, pool, config)
	})
}

func check(t testing.TB, pool *pgxpool.Pool, config rollup.Config) {
	ctx := context.Background()
	err := pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		ids, err := campaigns(ctx, tx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			differences, err := rollup.Check(ctx, tx, config, id)
			if err != nil {
				return err
			}
			for _, d := range differences {
				t.Errorf("figures of campaign %d: %s", id, d)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func campaigns(ctx context.Context, tx pgx.Tx) ([]int64, error) {
	rows, err := tx.Query(ctx, `SELECT campaign_id FROM campaigns ORDER BY campaign_id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

var counted = regexp.MustCompile(`(?i)(INSERT INTO|UPDATE|DELETE FROM)\s+(touches|responses|enrollments|orders|attributions|cost_entries|reservations|keycodes|campaigns)\b`)

// Wrote marks everything, where a test has written by a statement of its own what figures count.
func Wrote(t testing.TB, pool *pgxpool.Pool, sql string) {
	t.Helper()
	if !counted.MatchString(sql) {
		return
	}
	ctx := context.Background()
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		ids, err := campaigns(ctx, tx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := tally.MarkAllTx(ctx, tx, id, time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
