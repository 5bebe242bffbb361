package insights

import (
	"context"
	"fmt"
	"time"

	"aldine/segments"
)

// keptFor is how long a grid is shown again: who looks at cell after cell does not have the house file scored for each.
const (
	keptFor = 5 * time.Minute
	keptAll = 16 // grids, of 125 cells at most
)

// RecentRFM is RFM, or what that gave for the same scheme within the last minutes: Grid.At says when. Where a customer was erased or
// merged since, customers are scored anew.
func (s *Service) RecentRFM(ctx context.Context, sc Scheme) (Grid, error) {
	limits := ""
	if sc.Limits != nil {
		limits = fmt.Sprint(*sc.Limits)
	}
	key := fmt.Sprint(sc.Nested, sc.Returns, sc.AsOf.Unix(), s.today(sc).Unix(), limits)
	if kept, ok, err := s.keptGrid(ctx, key); ok || err != nil {
		return kept, err
	}
	if err := sc.check(); err != nil {
		return Grid{}, err
	}
	done, err := s.alone(ctx)
	if err != nil {
		return Grid{}, err
	}
	defer done()
	if kept, ok, err := s.keptGrid(ctx, key); ok || err != nil { // whoever was waited for asked the same
		return kept, err
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

// keptGrid gives a grid that is kept, if it is of everybody who is still there.
func (s *Service) keptGrid(ctx context.Context, key string) (Grid, bool, error) {
	s.mu.Lock()
	kept, ok := s.kept[key]
	s.mu.Unlock()
	if age := s.now().Sub(kept.At); !ok || age < 0 || age >= keptFor {
		return Grid{}, false, nil
	}
	gone, err := goneSince(ctx, s.pool, kept.At)
	return kept, gone == kept.gone, err
}

// goneSince counts the erasures and merges that are known, from a while before at: by one that was under way when a grid was made, the
// number grows afterwards.
func goneSince(ctx context.Context, q segments.Querier, at time.Time) (n int64, err error) {
	err = q.QueryRow(ctx, `SELECT count(*) FROM audit_log
		WHERE at >= $1 AND action IN ('customer.erase', 'customer.merge', 'customer.unmerge', 'customer.forget_rented')`, at.Add(-time.Hour)).Scan(&n)
	return n, err
}
