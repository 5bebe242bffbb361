package customers

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
)

// lockHouseholds is the key of the advisory lock under which households are changed; see LockHouseholdsTx.
const lockHouseholds = 0x41_4c_44_03

// Sizes of the work on households: customers to a slice (one transaction), and times that a slice is tried.
const (
	householdSlice = 5_000
	householdTries = 10
)

// NoteHouseholdsTx keeps in mind whose residence and household are to be found, and which residences others have left, for
// RefreshHouseholds; it is one small statement for many customers. Until then they have the keys of their own spelling.
func (s *Service) NoteHouseholdsTx(ctx context.Context, tx pgx.Tx, ids []ID, left []int64) error {
	for len(ids) > 0 || len(left) > 0 {
		n, m := min(len(ids), householdSlice), min(len(left), householdSlice)
		if _, err := tx.Exec(ctx, `INSERT INTO household_work (customer_ids, residence_ids) VALUES (@ids, @left)`,
			pgx.NamedArgs{"ids": append([]ID{}, ids[:n]...), "left": append([]int64{}, left[:m]...)}); err != nil {
			return err
		}
		ids, left = ids[n:], left[m:]
	}
	return nil
}

// QueueHouseholdsTx makes the job that does what NoteHouseholdsTx has noted, where there is anything.
func (s *Service) QueueHouseholdsTx(ctx context.Context, tx pgx.Tx) error {
	var waiting bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM household_work)`).Scan(&waiting); err != nil || !waiting {
		return err
	}
	_, err := s.jobs.InsertTx(ctx, tx, HouseholdArgs{}, nil)
	return err
}

// HouseholdArgs asks for households to be brought up to date.
type HouseholdArgs struct{}

// Kind names the job.
func (HouseholdArgs) Kind() string { return "households" }

// InsertOpts names the queue.
func (HouseholdArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Imports} }

type householdWorker struct {
	river.WorkerDefaults[HouseholdArgs]
	service *Service
}

// Timeout leaves time for very many customers.
func (w *householdWorker) Timeout(*river.Job[HouseholdArgs]) time.Duration { return 6 * time.Hour }

// Work does what is noted. What is left when it is stopped, the next job does.
func (w *householdWorker) Work(ctx context.Context, _ *river.Job[HouseholdArgs]) error {
	_, err := w.service.RefreshHouseholds(ctx, nil)
	return err
}

// HouseholdsWaiting counts the customers whose households are still to be brought up to date.
func (s *Service) HouseholdsWaiting(ctx context.Context) (n int64, err error) {
	err = s.pool.QueryRow(ctx, `SELECT coalesce(sum(cardinality(customer_ids)), 0) FROM household_work`).Scan(&n)
	return n, err
}

// RefreshHouseholds finds the residences and households of all customers noted, in slices of one transaction each, and gives how
// many customers it moved. It may be cancelled between slices and carries on where it was stopped; several at once do
// no harm. progress, which may be nil, is called after each slice.
func (s *Service) RefreshHouseholds(ctx context.Context, progress func(done, total int64)) (moved int64, err error) {
	total, err := s.HouseholdsWaiting(ctx)
	if err != nil {
		return 0, err
	}
	for done := int64(0); ; {
		n, changed, err := s.refreshSlice(ctx)
		if err != nil || n < 0 {
			return moved, err
		}
		moved += changed
		done += n
		total = max(total, done) // an import may be adding to it
		if progress != nil {
			progress(done, total)
		}
	}
}

// refreshSlice does the oldest piece of work, again where it got in the way of somebody else. n is -1 where nothing was left.
func (s *Service) refreshSlice(ctx context.Context) (n, moved int64, err error) {
	for try := 1; ; try++ {
		err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			n, moved, err = s.refreshSliceTx(ctx, tx)
			return err
		})
		var pe *pgconn.PgError
		again := errors.As(err, &pe) && (pe.Code == "40P01" || pe.Code == "40001" || pe.Code == "55P03")
		if !again || try == householdTries {
			return n, moved, err
		}
		select {
		case <-ctx.Done():
			return n, moved, ctx.Err()
		case <-time.After(time.Duration(try) * 100 * time.Millisecond):
		}
	}
}

func (s *Service) refreshSliceTx(ctx context.Context, tx pgx.Tx) (n, moved int64, err error) {
	if err := lockAloneTx(ctx, tx); err != nil {
		return 0, 0, err
	}
	// Whoever edits a customer has priority: a slice that waits for a row gives up before the database takes it for a deadlock.
	if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '500ms'`); err != nil {
		return 0, 0, err
	}
	var work int64
	var ids []ID
	var left []int64
	err = tx.QueryRow(ctx, `DELETE FROM household_work WHERE work_id = (SELECT min(work_id) FROM household_work) RETURNING work_id, customer_ids, residence_ids`).
		Scan(&work, &ids, &left)
	if errors.Is(err, pgx.ErrNoRows) {
		return -1, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	moved, err = s.householdsTx(ctx, tx, ids, left, true)
	return int64(len(ids)), moved, err
}

// RecomputeHouseholds forgets all spellings seen and notes all customers, so that RefreshHouseholds finds everything anew: a
// residence is named by the spelling of the customer with the lowest number, but for those by which somebody is suppressed.
func (s *Service) RecomputeHouseholds(ctx context.Context) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := lockAloneTx(ctx, tx); err != nil {
			return err
		}
		if err := forgetSpellingsTx(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM household_work`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `
			INSERT INTO household_work (customer_ids, residence_ids)
			SELECT array_agg(customer_id ORDER BY customer_id), '{}' FROM (
				SELECT customer_id, (row_number() OVER (ORDER BY customer_id) - 1) / @slice::bigint AS slice FROM customers) AS c
			GROUP BY slice ORDER BY slice`, pgx.NamedArgs{"slice": householdSlice}); err != nil {
			return err
		}
		return s.QueueHouseholdsTx(ctx, tx)
	})
}

// noteHouseholdsTx notes the customers that a chunk of an import has made or moved.
func (l *customerLoader) noteHouseholdsTx(ctx context.Context, tx pgx.Tx, fresh, changed []*person) error {
	ids := make([]ID, 0, len(fresh)+len(changed))
	var left []int64
	for _, p := range changed {
		if p.moved {
			ids = append(ids, p.ID)
		}
		if p.left != 0 {
			left = append(left, p.left)
		}
	}
	for _, p := range fresh {
		if p.AddressHash != nil {
			ids = append(ids, p.ID)
		}
	}
	slices.Sort(left)
	return l.service.NoteHouseholdsTx(ctx, tx, ids, slices.Compact(left))
}

// rehash computes the keys of a person that a row has changed, and keeps in mind the residence that is left.
func (l *customerLoader) rehash(p *person, before *Fields) {
	was := plainKey(p.ResidenceID)
	if p.rehash(before, l.settings.DefaultCountry) {
		p.moved = true
		if p.left == 0 {
			p.left = was
		}
	}
}

// LeaveHouseholdTx notes that a customer is about to be deleted, so that those who are left at the residence are looked at again.
func (s *Service) LeaveHouseholdTx(ctx context.Context, tx pgx.Tx, id ID) error {
	tag, err := tx.Exec(ctx, `INSERT INTO household_work (customer_ids, residence_ids)
		SELECT '{}', ARRAY[residence_id] FROM customers WHERE customer_id = @id AND residence_id IS NOT NULL`, pgx.NamedArgs{"id": id})
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return s.QueueHouseholdsTx(ctx, tx)
}
