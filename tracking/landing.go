package tracking

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"

	"aldine/customers"
)

// lateLanding is how long the crediting of orders waits for hits that were answered before. Who clicked, and whose hit lands later, has orders
// credited once more.
const lateLanding = 2 * time.Second

// backlog is how old hits in the journal may get while more come in than land: until then landing leaves most of the machine to answering.
const backlog = time.Minute

// landGently lands some hits, and where there are more takes a rest in proportion.
func (s *Service) landGently(ctx context.Context) (more bool, err error) {
	begun := time.Now()
	more, err = s.Land(ctx)
	if err != nil || !more || s.collector.idle() {
		return more, err
	}
	var oldest *time.Time
	if err := s.pool.QueryRow(ctx, `SELECT at FROM hit_journal WHERE NOT aside ORDER BY journal_id LIMIT 1`).Scan(&oldest); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return false, err
	}
	if oldest != nil && s.now().Sub(*oldest) < backlog {
		select {
		case <-ctx.Done():
		case <-time.After(3 * time.Since(begun)):
		}
	}
	return more, nil
}

// Settle waits until the hits that were answered before it are among the responses, or ctx ends.
func (s *Service) Settle(ctx context.Context) error {
	var last *string
	if err := s.pool.QueryRow(ctx, `SELECT max(journal_id::text) FROM hit_journal WHERE NOT aside`).Scan(&last); err != nil || last == nil {
		return err
	}
	for {
		if _, err := s.Land(ctx); err != nil {
			return err
		}
		var open bool
		if err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM hit_journal WHERE NOT aside AND journal_id <= $1::uuid)`, *last).Scan(&open); err != nil || !open {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// SettleSoon is Settle for two seconds at most: for who goes by clicks, and is better late than not there. Orders are credited again to what
// lands later.
func (s *Service) SettleSoon(ctx context.Context) error {
	some, cancel := context.WithTimeout(ctx, lateLanding)
	defer cancel()
	if err := s.Settle(some); err != nil && some.Err() == nil {
		return err
	}
	return ctx.Err()
}

// creditLateTx has the orders credited again that people placed after clicks which land only now.
func (s *Service) creditLateTx(ctx context.Context, tx pgx.Tx, hits []*hit) error {
	limit := s.now().Add(-lateLanding)
	var people []int64
	since := limit
	for _, h := range hits {
		if h.kind == KindClick && !h.machine && h.at.Before(limit) {
			people = append(people, h.token.CustomerID)
			if h.at.Before(since) {
				since = h.at
			}
		}
	}
	if len(people) == 0 {
		return nil
	}
	// An order dated by day alone may lie before the click on it.
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT o.order_ref FROM unnest($1::bigint[]) AS p (id) LEFT JOIN customer_aliases a ON a.old_id = p.id
		JOIN orders o ON o.customer_id = coalesce(a.customer_id, p.id) AND o.ordered_at >= $2 ORDER BY 1`, distinct(people), since.AddDate(0, 0, -1))
	if err != nil {
		return err
	}
	refs, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(refs) == 0 {
		return err
	}
	_, err = s.jobs.InsertManyFastTx(ctx, tx, []river.InsertManyParams{{Args: customers.OrdersRecordedArgs{Refs: refs}}})
	return err
}

// unstorable tells whether the data themselves are at fault, so that another try would not help.
func unstorable(err error) bool {
	var pe *pgconn.PgError
	return errors.Is(err, errJournal) ||
		errors.As(err, &pe) && (strings.HasPrefix(pe.Code, "22") || strings.HasPrefix(pe.Code, "23")) && !monthMade(err)
}
