package mergepurge

import (
	"context"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/customers/match"
	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
)

// Create makes a draft. Invalid names the wrong fields; Conflict where a list or another run has the name.
func (s *Service) Create(ctx context.Context, in NewRun) (Run, error) {
	if err := in.check(); err != nil {
		return Run{}, err
	}
	var id int64
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := freeNameTx(ctx, tx, in.Name, 0); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `
			INSERT INTO merge_runs (name, level, allocation, channel, seed, threshold, review, state, created_by, created_at)
			VALUES (@name, @level, @allocation, @channel, @seed, @threshold, @review, 'draft', @actor, @now) RETURNING run_id`,
			pgx.NamedArgs{"name": in.Name, "level": in.Level, "allocation": in.Allocation, "channel": in.Channel, "seed": in.Seed, "threshold": in.Threshold,
				"review": in.Review, "actor": access.From(ctx).String(), "now": s.now()}).Scan(&id); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "merge.create", "merge_run", id, map[string]any{"name": in.Name, "level": in.Level})
	})
	if err != nil {
		return Run{}, err
	}
	return s.Run(ctx, id)
}

// check fills in what is left out and finds what is wrong.
func (in *NewRun) check() error {
	var faults []fault.Field
	bad := func(name, format string, args ...any) {
		faults = append(faults, fault.Field{Name: name, Message: fmt.Sprintf(format, args...)})
	}
	in.Name = strings.TrimSpace(in.Name)
	if in.Name == "" || !plain(in.Name, 200) {
		bad("name", "give a name of at most 200 characters: the list of net names will have it")
	}
	for _, f := range []struct {
		name    string
		value   *string
		allowed []string // the first is the default
	}{
		{"level", &in.Level, []string{Person, Household, Residence, Company}},
		{"allocation", &in.Allocation, []string{RandomWithinHierarchy, Hierarchy, Random}},
		{"channel", &in.Channel, append([]string{"all"}, customers.Channels[:]...)},
	} {
		if *f.value == "" {
			*f.value = f.allowed[0]
		}
		known := false
		for _, a := range f.allowed {
			known = known || a == *f.value
		}
		if !known {
			bad(f.name, "use one of %s", strings.Join(f.allowed, ", "))
		}
	}
	for _, f := range []struct {
		name   string
		value  *float64
		usual  float64
		orZero bool
	}{{"threshold", &in.Threshold, match.DefaultThreshold, false}, {"review", &in.Review, match.DefaultReview, false}} {
		if *f.value == 0 {
			*f.value = f.usual
		}
		if !(*f.value > 0 && *f.value < 1) || math.IsNaN(*f.value) {
			bad(f.name, "use a probability above 0 and below 1")
		}
	}
	if faults == nil && in.Review > in.Threshold {
		bad("review", "the review band begins at or below the threshold")
	}
	if faults != nil {
		return fault.Bad("The run is not valid", faults...)
	}
	return nil
}

func plain(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// freeNameTx fails with Conflict where the merged list could not get the name: a list has it, or another run that may be applied.
func freeNameTx(ctx context.Context, tx pgx.Tx, name string, runID int64) error {
	var list, run bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM lists WHERE name = @name AND list_id IS DISTINCT FROM (SELECT list_id FROM merge_runs WHERE run_id = @run)),
		EXISTS (SELECT 1 FROM merge_runs WHERE name = @name AND run_id <> @run AND state NOT IN ('failed', 'cancelled'))`,
		pgx.NamedArgs{"name": name, "run": runID}).Scan(&list, &run); err != nil {
		return err
	}
	switch {
	case list:
		return fault.New(fault.Conflict, "There is a list named %q already: the run's net names need a name of their own", name)
	case run:
		return fault.New(fault.Conflict, "There is a merge/purge run named %q already", name)
	}
	return nil
}

// Rename gives a run that was not applied another name. Invalid and Conflict as Create.
func (s *Service) Rename(ctx context.Context, runID int64, name string) error {
	in := NewRun{Name: name}
	if err := in.check(); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		run, err := s.run(ctx, tx, runID, "FOR UPDATE")
		if err != nil {
			return err
		}
		if run.ListID != 0 {
			return fault.New(fault.Conflict, "Run %d has its list already", runID)
		}
		if err := freeNameTx(ctx, tx, in.Name, runID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE merge_runs SET name = @name WHERE run_id = @run`, pgx.NamedArgs{"name": in.Name, "run": runID}); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "merge.rename", "merge_run", runID, map[string]any{"name": in.Name})
	})
}

// Delete removes a run that is not under way and was not applied, with its records and files. Conflict for any other.
func (s *Service) Delete(ctx context.Context, runID int64) error {
	var run Run
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if run, err = s.run(ctx, tx, runID, "FOR UPDATE"); err != nil {
			return err
		}
		switch {
		case run.ListID != 0:
			return fault.New(fault.Conflict, "Run %d was applied: its records stay with the list that it made", runID)
		case run.State == Waiting || run.State == Running:
			return fault.New(fault.Conflict, "Run %d is under way: cancel it first", runID)
		}
		for _, table := range []string{"merge_records", "merge_inputs", "merge_runs"} {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE run_id = @run`, pgx.NamedArgs{"run": runID}); err != nil {
				return err
			}
		}
		return audit.RecordTx(ctx, tx, s.now(), "merge.delete", "merge_run", runID, map[string]any{"name": run.Name})
	})
	if err == nil {
		s.dropUploads(run)
	}
	return err
}
