package segments

import (
	"context"
	"slices"
	"strings"
	"time"

	"aldine/internal/access"
)

// MaySeeAll tells whether the actor may see what is private. Who cannot write a segment cannot: beside the read-only role those who
// see expressions only where a campaign has them.
func MaySeeAll(ctx context.Context) bool { return access.From(ctx).Role.May(access.SegmentsWrite) }

// CatalogFor reads the catalog as far as the actor may see it.
func CatalogFor(ctx context.Context, q Querier) (*Catalog, error) {
	c, err := LoadCatalog(ctx, q)
	if err != nil || MaySeeAll(ctx) {
		return c, err
	}
	return c.ForReader(), nil
}

// Veil gives a function that tells of an expression whether it asks for private attributes, be it through a segment, and the actor
// may not see it.
func Veil(ctx context.Context, q Querier, now time.Time) (func(expression string) bool, error) {
	if MaySeeAll(ctx) {
		return func(string) bool { return false }, nil
	}
	all, err := LoadCatalog(ctx, q)
	if err != nil {
		return nil, err
	}
	own := all.ForReader()
	return func(expression string) bool { return all.asksPrivate(own, expression, now) }, nil
}

// Veil is the function Veil over the service's database.
func (s *Service) Veil(ctx context.Context) (func(expression string) bool, error) {
	return Veil(ctx, s.pool, s.now())
}

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
// for private attributes, be it through another segment.
func (s *Service) hider(ctx context.Context) (func(*Segment), error) {
	veiled, err := Veil(ctx, s.pool, s.now())
	if err != nil {
		return nil, err
	}
	return func(of *Segment) {
		if veiled(of.Expression) {
			of.Expression, of.LastCount, of.CountedAt, of.CountError, of.Hidden = "", nil, nil, "", true
		}
	}, nil
}

// asksPrivate tells whether an expression is valid, but not for the reader. One that is valid for nobody, since a list is gone, may
// still name what is private.
func (c *Catalog) asksPrivate(reader *Catalog, expression string, now time.Time) bool {
	if _, err := reader.Compile(expression, now); err == nil {
		return false
	}
	if _, err := c.Compile(expression, now); err == nil {
		return true
	}
	return c.namesPrivate(expression)
}

// namesPrivate tells whether the name of a private attribute stands in a text.
func (c *Catalog) namesPrivate(expression string) bool {
	return slices.ContainsFunc(c.fields, func(f field) bool { return f.private && strings.Contains(expression, f.name) })
}
