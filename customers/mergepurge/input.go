package mergepurge

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/customers/csvfile"
	"aldine/internal/audit"
	"aldine/internal/fault"
)

// maxInputs bounds the overlap matrix.
const maxInputs = 100

// AddInput adds a list to a draft. Invalid where the file is empty, has no column that is known, or is in the run
// already under another name, or the deal or expression is wrong; Conflict where the run is no draft or has the
// name; NotFound where there is no run.
func (s *Service) AddInput(ctx context.Context, runID int64, in NewInput) (Input, error) {
	if run, err := s.run(ctx, s.pool, runID, ""); err != nil {
		return Input{}, err
	} else if err := run.draft(); err != nil {
		return Input{}, err
	}
	if err := s.checkInput(ctx, &in); err != nil {
		return Input{}, err
	}
	input := Input{Kind: in.Kind, Name: in.Name, Priority: in.Priority, Expression: in.Expression, FileName: in.FileName, Deal: in.Deal}
	if in.Kind != House {
		var err error
		if input.path, err = s.keepUpload(in.Body); err != nil {
			return Input{}, err
		}
		if err := s.readHeader(ctx, &input, in.Mapping); err != nil {
			s.dropUpload(input.path)
			return Input{}, err
		}
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.addInputTx(ctx, tx, runID, &input) })
	if err != nil && input.path != "" {
		s.dropUpload(input.path)
	}
	return input, err
}

func (r *Run) draft() error {
	if r.State != Draft {
		return fault.New(fault.Conflict, "Run %d is %s: only a draft's inputs can be changed", r.ID, r.State)
	}
	return nil
}

// checkInput fills in what is left out and finds what is wrong, but for the file.
func (s *Service) checkInput(ctx context.Context, in *NewInput) error {
	var faults []fault.Field
	bad := func(name, message string) { faults = append(faults, fault.Field{Name: name, Message: message}) }
	in.Name, in.FileName = strings.TrimSpace(in.Name), strings.TrimSpace(in.FileName)
	if in.Name == "" && in.Kind == House {
		in.Name = "house"
	}
	if in.Name == "" {
		in.Name = strings.TrimSuffix(filepath.Base(in.FileName), filepath.Ext(in.FileName))
	}
	if in.Name == "" || in.Name == "." || !plain(in.Name, 200) {
		bad("name", "give the list a name of at most 200 characters")
	}
	if !plain(in.FileName, 500) {
		bad("file_name", "use at most 500 characters of text")
	}
	if in.Priority < 0 || in.Priority > 1_000_000 {
		bad("priority", "use a number from 1; the lowest comes first")
	}
	switch in.Kind {
	case House:
		if in.Expression != "" && s.audience == nil {
			bad("expression", "the house file takes part as a whole here")
		} else if in.Expression != "" {
			if _, err := s.audience(ctx, in.Expression, "a", 0, 0); err != nil {
				return err
			}
		}
		if in.Body != nil {
			bad("file", "the house file comes from the database")
		}
	case Rented, Suppression:
		if in.Expression != "" {
			bad("expression", "only the house file takes part by an expression")
		}
	default:
		bad("kind", "use house, rented or suppression")
	}
	if in.Deal != nil && in.Kind != Rented {
		bad("deal", "only rented lists have one")
	} else if in.Deal != nil {
		v, err := s.settings.Get(ctx)
		if err != nil {
			return err
		}
		deal := *in.Deal
		deal.Currency = cmp.Or(deal.Currency, v.BaseCurrency)
		in.Deal = &deal
		faults = append(faults, deal.check()...)
	}
	if faults != nil {
		return fault.Bad("The input is not valid", faults...)
	}
	return nil
}

// readHeader fills in what the file's first line tells, and the mapping.
func (s *Service) readHeader(ctx context.Context, in *Input, given map[string]string) error {
	file, err := openFile(in.path)
	if err != nil {
		return err
	}
	defer file.Close()
	reader, err := s.customers.NewMergeReader(ctx, file.Header, given, false)
	if err != nil {
		return err
	}
	in.FileSize, in.Header, in.Mapping = file.Size, file.Header, reader.Mapping()
	return nil
}

func openFile(path string) (*csvfile.File, error) {
	file, err := csvfile.Open(path)
	switch {
	case errors.Is(err, csvfile.ErrEmpty):
		return nil, fault.BadField("file", "the file is empty")
	case errors.Is(err, csvfile.ErrHeader):
		return nil, fault.BadField("file", "the first line cannot be read as a header: a CSV file's first line names its columns")
	}
	return file, err
}

func (s *Service) addInputTx(ctx context.Context, tx pgx.Tx, runID int64, in *Input) error {
	run, err := s.run(ctx, tx, runID, "FOR UPDATE")
	if err != nil {
		return err
	}
	if err := run.draft(); err != nil {
		return err
	}
	if len(run.Inputs) >= maxInputs {
		return fault.New(fault.Invalid, "A run takes at most %d lists", maxInputs)
	}
	last := 0
	for _, other := range run.Inputs {
		in.No, last = max(in.No, other.No), max(last, other.Priority)
		if strings.EqualFold(other.Name, in.Name) {
			return fault.New(fault.Conflict, "Input %d is named %q already: two lists of one run need two names", other.No, other.Name)
		}
		if other.FileSize == in.FileSize && in.path != "" && other.path != "" {
			same, err := sameFile(other.path, in.path)
			if err != nil {
				return err
			}
			if same {
				return fault.BadField("file", "the same file is input %d already, named %q", other.No, other.Name)
			}
		}
	}
	in.No++
	if in.Priority == 0 {
		in.Priority = last + 1
	}
	if in.Kind == Rented {
		if err := s.findListTx(ctx, tx, in); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO merge_inputs (run_id, input_no, kind, name, list_id, priority, expression, file_name, file_path, file_size, mapping, deal)
		VALUES (@run, @no, @kind, @name, nullif(@list::bigint, 0), @priority, @expression, @file, @path, @size, @mapping, @deal)`,
		pgx.NamedArgs{"run": runID, "no": in.No, "kind": in.Kind, "name": in.Name, "list": in.ListID, "priority": in.Priority, "expression": in.Expression,
			"file": in.FileName, "path": in.path, "size": in.FileSize, "mapping": notNil(in.Mapping), "deal": in.Deal}); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, s.now(), "merge.input", "merge_run", runID, map[string]any{"kind": in.Kind, "name": in.Name, "file": in.FileName})
}

func notNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// changeInput runs do on one input of a draft, within a transaction.
func (s *Service) changeInput(ctx context.Context, runID int64, no int, do func(tx pgx.Tx, in *Input) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		run, err := s.run(ctx, tx, runID, "FOR UPDATE")
		if err != nil {
			return err
		}
		if err := run.draft(); err != nil {
			return err
		}
		in, err := run.input(no)
		if err != nil {
			return err
		}
		return do(tx, in)
	})
}

// RemoveInput takes a list out of a draft; the others keep their numbers.
func (s *Service) RemoveInput(ctx context.Context, runID int64, no int) error {
	path := ""
	err := s.changeInput(ctx, runID, no, func(tx pgx.Tx, in *Input) error {
		path = in.path
		_, err := tx.Exec(ctx, `DELETE FROM merge_inputs WHERE run_id = @run AND input_no = @no`, pgx.NamedArgs{"run": runID, "no": no})
		return err
	})
	if err == nil && path != "" {
		s.dropUpload(path)
	}
	return err
}

// SetInput changes a draft's input: mapping nil leaves the columns as they are, priority 0 the place. Invalid as AddInput.
func (s *Service) SetInput(ctx context.Context, runID int64, no int, mapping map[string]string, priority int) (Input, error) {
	if priority < 0 || priority > 1_000_000 {
		return Input{}, fault.BadField("priority", "use a number from 1; the lowest comes first")
	}
	var out Input
	err := s.changeInput(ctx, runID, no, func(tx pgx.Tx, in *Input) error {
		if priority != 0 {
			in.Priority = priority
		}
		if mapping != nil && in.path == "" {
			return fault.BadField("mapping", "the house file's columns are known")
		}
		if mapping != nil && in.path != "" {
			if err := s.readHeader(ctx, in, mapping); err != nil {
				return err
			}
		}
		out = *in
		_, err := tx.Exec(ctx, `UPDATE merge_inputs SET priority = @priority, mapping = @mapping WHERE run_id = @run AND input_no = @no`,
			pgx.NamedArgs{"priority": in.Priority, "mapping": notNil(in.Mapping), "run": runID, "no": no})
		return err
	})
	return out, err
}
