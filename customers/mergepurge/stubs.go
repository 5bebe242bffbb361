package mergepurge

import (
	"context"
	"io"

	"aldine/internal/fault"
)

var errNotReady = fault.New(fault.Unavailable, "not ready")

// Create makes a draft. Invalid names the wrong fields; Conflict where a list or a run has the name.
func (s *Service) Create(ctx context.Context, in NewRun) (Run, error) { return Run{}, errNotReady }

// AddInput adds a list to a draft. Invalid where the file is empty, has no column that is known, or is in the run
// already; Conflict where the run is no draft; NotFound where there is no run.
func (s *Service) AddInput(ctx context.Context, runID int64, in NewInput) (Input, error) {
	return Input{}, errNotReady
}

// RemoveInput takes a list out of a draft; the others keep their numbers.
func (s *Service) RemoveInput(ctx context.Context, runID int64, no int) error { return errNotReady }

// SetInput changes a draft's input: mapping nil leaves the columns as they are, priority 0 the place.
func (s *Service) SetInput(ctx context.Context, runID int64, no int, mapping map[string]string, priority int) (Input, error) {
	return Input{}, errNotReady
}

// Delete removes a run that is not under way and was not applied, with its records and files.
func (s *Service) Delete(ctx context.Context, runID int64) error { return errNotReady }

// Preview gives the first n rows (at most 200) of an input's file; Invalid for the house file.
func (s *Service) Preview(ctx context.Context, runID int64, no, n int) (Preview, error) {
	return Preview{}, errNotReady
}

// Start makes the job that runs a draft. Invalid where there is nothing to mail, Conflict where it is no draft.
func (s *Service) Start(ctx context.Context, runID int64) (Run, error) { return Run{}, errNotReady }

// Apply makes the job that makes the merged list. Conflict where the run is not finished.
func (s *Service) Apply(ctx context.Context, runID int64) (Run, error) { return Run{}, errNotReady }

// Cancel stops a run for good; one that is being applied goes back to finished, and what is in the list stays.
func (s *Service) Cancel(ctx context.Context, runID int64) error { return errNotReady }

// Run gives one run with its inputs and report; NotFound where there is none.
func (s *Service) Run(ctx context.Context, runID int64) (Run, error) { return Run{}, errNotReady }

// Runs lists runs without reports, the newest first, those before the number given (0: from the newest).
func (s *Service) Runs(ctx context.Context, before int64, limit int) ([]Run, error) {
	return nil, errNotReady
}

// Records gives records in the order of their numbers, at most limit after the number given.
func (s *Service) Records(ctx context.Context, runID int64, f Filter, after int64, limit int) ([]Record, error) {
	return nil, errNotReady
}

// WriteXLSX writes the report as a workbook. Conflict where the run has no report.
func (s *Service) WriteXLSX(ctx context.Context, runID int64, w io.Writer) error { return errNotReady }

// WriteNet writes the net names as CSV, safe to open in a spreadsheet. Conflict where the run has no report.
func (s *Service) WriteNet(ctx context.Context, runID int64, w io.Writer) error { return errNotReady }
