package tracking

import (
	"context"

	"aldine/internal/fault"
)

// Record stores responses that another program reports, at most 1,000 at once, all or none. source names who
// reports; together with a response's Ref it makes the response idempotent.
func (s *Service) Record(ctx context.Context, source string, responses []Response) ([]Outcome, error) {
	return nil, fault.New(fault.Unavailable, "Responses cannot be recorded yet")
}
