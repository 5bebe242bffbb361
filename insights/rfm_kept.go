package insights

import (
	"context"
	"fmt"
	"time"
)

// keptFor is how long a grid is shown again: who looks at cell after cell does not have the house file scored for each.
const (
	keptFor = 5 * time.Minute
	keptAll = 16 // grids, of 125 cells at most
)

// RecentRFM is RFM, or what that gave for the same scheme within the last minutes: Grid.At says when.
func (s *Service) RecentRFM(ctx context.Context, sc Scheme) (Grid, error) {
	limits := ""
	if sc.Limits != nil {
		limits = fmt.Sprint(*sc.Limits)
	}
	key := fmt.Sprint(sc.Nested, sc.Returns, sc.AsOf.Unix(), s.today(sc).Unix(), limits)
	s.mu.Lock()
	kept, ok := s.kept[key]
	s.mu.Unlock()
	if age := s.now().Sub(kept.At); ok && age >= 0 && age < keptFor {
		return kept, nil
	}
	g, err := s.RFM(ctx, sc)
	if err != nil {
		return g, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil || len(s.kept) >= keptAll {
		s.kept = map[string]Grid{}
	}
	s.kept[key] = g
	return g, nil
}
