package mergepurge

import (
	"context"

	"aldine/internal/fault"
)

// hide leaves out of a run what the actor may not see.
func (s *Service) hide(ctx context.Context, run *Run) error {
	if s.veil == nil {
		return nil
	}
	veiled, err := s.veil(ctx)
	if err != nil {
		return err
	}
	for i := range run.Inputs {
		if in := &run.Inputs[i]; in.Expression != "" && veiled(in.Expression) {
			in.Expression, in.Hidden = "", true
			if run.Error != "" {
				run.Error = "The house file could not be read: its expression asks for private attributes, which your role may not see"
			}
		}
	}
	return nil
}

// mayList is Forbidden where a run's records would tell whom an expression selects that the actor may not see.
func (s *Service) mayList(ctx context.Context, run Run) error {
	if err := s.hide(ctx, &run); err != nil {
		return err
	}
	for _, in := range run.Inputs {
		if in.Hidden {
			return fault.New(fault.Forbidden, "The run takes part of the house file by private attributes, which your role may not see: so its records are not for you either")
		}
	}
	return nil
}
