package duplicates

import (
	"context"
	"errors"
)

var errNotYet = errors.New("not built yet")

// Search gives one search; NotFound where there is none.
func (s *Service) Search(ctx context.Context, id int64) (Search, error) { return Search{}, errNotYet }

// Searches lists searches, the newest first, those before the number given (0: from the newest).
func (s *Service) Searches(ctx context.Context, before int64, limit int) ([]Search, error) {
	return nil, errNotYet
}

// StartSearch makes the job of a search. Conflict where one is under way.
func (s *Service) StartSearch(ctx context.Context, in NewSearch) (Search, error) {
	return Search{}, errNotYet
}

// NewSearch is a search to start; 0 means the usual thresholds.
type NewSearch struct{ Threshold, Review float64 }

// CancelSearch stops a search or a merging of many; pairs that are written and merges that are done stay. Conflict where it has ended.
func (s *Service) CancelSearch(ctx context.Context, id int64) error { return errNotYet }

// Open lists open pairs, the best first.
func (s *Service) Open(ctx context.Context, after Cursor, limit int) ([]Pair, error) {
	return nil, errNotYet
}

// Pair gives the pair of two customers, in whichever order; NotFound where no search has found it.
func (s *Service) Pair(ctx context.Context, a, b int64) (Pair, error) { return Pair{}, errNotYet }

// Counts tells how many pairs there are.
func (s *Service) Counts(ctx context.Context) (Counts, error) { return Counts{}, errNotYet }

// Decide notes that two customers are different people, or (different false) leaves the pair open again. NotFound where there
// is no such pair, Conflict where they were merged.
func (s *Service) Decide(ctx context.Context, a, b int64, different bool) error { return errNotYet }

// Merges lists a customer's merges, the newest first, those undone too.
func (s *Service) Merges(ctx context.Context, customerID int64) ([]Merged, error) {
	return nil, errNotYet
}

// CountSure tells how many pairs MergeSure would merge.
func (s *Service) CountSure(ctx context.Context, minScore float64) (int64, error) {
	return 0, errNotYet
}

// MergeSure makes the job that merges all open pairs from the score up that have no conflict; the answer's Total says how many
// those are now.
func (s *Service) MergeSure(ctx context.Context, minScore float64) (Search, error) {
	return Search{}, errNotYet
}
