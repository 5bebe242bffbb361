package customers

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/queue"
)

// States of an attribute.
const (
	AttributeReady  = "ready"
	AttributeComing = "adding" // until customers are not read or written for a moment
)

// An attribute that found no moment is tried in rounds: between them vacuum and other changes of the table have their turn.
const (
	columnRound = 5 * time.Second
	columnRest  = 5 * time.Second
)

// AttributeArgs asks for an attribute to be added when there is a moment for it.
type AttributeArgs struct {
	ID int64 `json:"id"`
}

// Kind names the job.
func (AttributeArgs) Kind() string { return "add_attribute" }

// InsertOpts names the queue: not that of imports, behind which it would wait for hours.
func (AttributeArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Upkeep} }

type attributeWorker struct {
	river.WorkerDefaults[AttributeArgs]
	service *Service
}

// Work tries for a round, and comes back after a rest where that was not enough.
func (w *attributeWorker) Work(ctx context.Context, job *river.Job[AttributeArgs]) error {
	s := w.service
	var name string
	err := s.pool.QueryRow(ctx, `SELECT name FROM coming_attributes WHERE coming_id = $1`, job.Args.ID).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.addColumn(ctx, name, columnRound); err != nil {
		return err
	}
	a, err := s.Attribute(ctx, name)
	if err == nil && a.State == AttributeComing {
		return river.JobSnooze(columnRest)
	}
	if fault.Is(err, fault.NotFound) { // cancelled
		return nil
	}
	return err
}

// ResumeAttributes makes the jobs of attributes that were left without one.
func (s *Service) ResumeAttributes(ctx context.Context) error {
	return queue.Resume(ctx, s.pool, s.jobs, `
		SELECT coming_id FROM coming_attributes a WHERE NOT EXISTS (
			SELECT 1 FROM river_job j WHERE j.kind = 'add_attribute' AND j.args @> jsonb_build_object('id', a.coming_id)
				AND j.state IN ('available', 'pending', 'running', 'retryable', 'scheduled'))
		ORDER BY 1`, func(id int64) river.JobArgs { return AttributeArgs{ID: id} })
}

// ComingAttributes gives the attributes that are being added and that the actor may see, by name.
func (s *Service) ComingAttributes(ctx context.Context) ([]Attribute, error) {
	rows, err := s.pool.Query(ctx, `SELECT 0::bigint, name, label, type, '', description, private, created_at FROM coming_attributes ORDER BY name`)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, scanAttribute)
	for i := range all {
		all[i].State = AttributeComing
	}
	if err != nil || access.From(ctx).Role != access.ReadOnly {
		return all, err
	}
	return slices.DeleteFunc(all, func(a Attribute) bool { return a.Private }), nil
}

// Attribute gives the attribute of a name, there or being added; NotFound where the actor sees none.
func (s *Service) Attribute(ctx context.Context, name string) (Attribute, error) {
	coming, err := s.ComingAttributes(ctx) // first: it may come between the two
	if err != nil {
		return Attribute{}, err
	}
	ready, err := s.Attributes(ctx)
	if err != nil {
		return Attribute{}, err
	}
	for _, a := range append(ready, coming...) {
		if a.Name == name {
			return a, nil
		}
	}
	return Attribute{}, fault.New(fault.NotFound, "There is no attribute named %s", short(name))
}

// AwaitAttribute tries to add an attribute until it is there; waiting, which may be nil, is called after each round. NotFound where
// there is none of the name or it was cancelled.
func (s *Service) AwaitAttribute(ctx context.Context, name string, waiting func()) (Attribute, error) {
	for {
		a, err := s.Attribute(ctx, name)
		if err != nil || a.State == AttributeReady {
			return a, err
		}
		if waiting != nil {
			waiting()
		}
		if err := s.addColumn(ctx, name, columnRound); err != nil {
			return a, err
		}
	}
}

// CancelAttribute gives up an attribute that is being added. Conflict where it is there already, else NotFound.
func (s *Service) CancelAttribute(ctx context.Context, name string) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `DELETE FROM coming_attributes WHERE name = $1`, name)
		if err != nil || tag.RowsAffected() == 0 {
			return errors.Join(err, pgx.ErrNoRows)
		}
		return audit.RecordTx(ctx, tx, s.now(), "attribute.cancel", "attribute", name, nil)
	})
	if !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if _, err := s.Attribute(ctx, name); err != nil {
		return err
	}
	return fault.New(fault.Conflict, "The attribute %s has been added already", short(name))
}
