package mergepurge

import (
	"context"

	"aldine/internal/fault"
	"aldine/internal/pg"
)

// MaxRecords is how many rows all inputs of a run may have together.
const MaxRecords = 20_000_000

// houseBytes is what a house customer counts as in the progress of loading, beside the bytes of files.
const houseBytes = 100

// load makes records of all rows of all inputs that are not loaded yet, input by input.
func (s *Service) load(ctx context.Context, run *Run) error {
	if err := s.measureHouse(ctx, run); err != nil {
		return err
	}
	todo := false
	for i := range run.Inputs {
		todo = todo || !run.Inputs[i].Loaded
	}
	if !todo {
		return nil
	}
	done, total := run.bytes()
	if err := s.phase(ctx, run, Loading, done, total); err != nil {
		return err
	}
	for i := range run.Inputs {
		in := &run.Inputs[i]
		if in.Loaded {
			continue
		}
		var err error
		if in.Kind == House {
			err = s.loadHouse(ctx, run, in)
		} else {
			err = s.loadFile(ctx, run, in)
		}
		if err != nil {
			return err
		}
		in.Loaded = true
	}
	return pg.Analyze(ctx, s.pool, "merge_records")
}

// bytes tells how much is loaded, of how much.
func (r *Run) bytes() (done, total int64) {
	for _, in := range r.Inputs {
		weight := int64(1)
		if in.Kind == House {
			weight = houseBytes
		}
		done, total = done+in.BytesDone*weight, total+in.FileSize*weight
	}
	return done, total
}

// room fails where a run has more records than it may.
func (r *Run) room() error {
	n := int64(0)
	for _, in := range r.Inputs {
		n += in.Rows
	}
	if n > MaxRecords {
		return fault.New(fault.Invalid, "The lists have more than %d rows together; run them in parts", MaxRecords)
	}
	return nil
}
