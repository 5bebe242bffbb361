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
	if kept, ok := s.keptGrid(key); ok {
		return kept, nil
	}
	if err := sc.check(); err != nil {
		return Grid{}, err
	}
	done, err := s.alone(ctx)
	if err != nil {
		return Grid{}, err
	}
	defer done()
	if kept, ok := s.keptGrid(key); ok { // whoever was waited for asked the same
		return kept, nil
	}
	g, err := s.score(ctx, sc)
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

func (s *Service) keptGrid(key string) (Grid, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.kept[key]
	age := s.now().Sub(kept.At)
	return kept, ok && age >= 0 && age < keptFor
}
