package segments

import (
	"context"
	"time"

	"aldine/internal/access"
)

// seen gives a segment that was read as the actor may see it.
func (s *Service) seen(ctx context.Context, of Segment, err error) (Segment, error) {
	if err != nil {
		return Segment{}, err
	}
	hide, err := s.hider(ctx)
	if err != nil {
		return Segment{}, err
	}
	hide(&of)
	return of, nil
}

// hider gives a function that leaves out of a segment what the actor may not see: the read-only role nothing of one that asks
// for private attributes, be it through another segment. An expression that is not valid anyway is shown.
func (s *Service) hider(ctx context.Context) (func(*Segment), error) {
	if access.From(ctx).Role != access.ReadOnly {
		return func(*Segment) {}, nil
	}
	all, err := LoadCatalog(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	own := all.ForReader()
	return func(of *Segment) {
		if all.asksPrivate(own, of.Expression, s.now()) {
			of.Expression, of.LastCount, of.CountedAt, of.Hidden = "", nil, nil, true
		}
	}, nil
}

// asksPrivate tells whether an expression is valid, but not for the reader.
func (c *Catalog) asksPrivate(reader *Catalog, expression string, now time.Time) bool {
	if _, err := reader.Compile(expression, now); err == nil {
		return false
	}
	_, err := c.Compile(expression, now)
	return err == nil
}
