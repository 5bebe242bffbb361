package segments

import "context"

// Memberships gives the saved segments that one customer is in, by name. They are evaluated in memory over the facts of
// the customer alone, read once, so that many segments cost no more look at the database than one; only a segment that ranks customers is asked there. One whose
// expression is no longer valid (an attribute or a list is gone) has no members, and of one that is hidden from the actor nothing is said.
func (s *Service) Memberships(ctx context.Context, customerID int64) ([]Segment, error) {
	facts, err := LoadFacts(ctx, s.pool, []int64{customerID})
	if err != nil {
		return nil, err
	}
	mine, ok := facts[customerID]
	if !ok {
		return nil, nil
	}
	catalog, err := CatalogFor(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	var in []Segment
	q := Query{Limit: 200}
	for {
		page, err := s.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, segment := range page {
			q.After = segment.Name
			if segment.Hidden {
				continue
			}
			compiled, err := catalog.Compile(segment.Expression, s.now())
			if err != nil {
				continue
			}
			member, err := s.member(ctx, compiled, mine)
			if err != nil {
				return nil, err
			}
			if member {
				in = append(in, segment)
			}
		}
		if len(page) < q.Limit {
			return in, nil
		}
	}
}

// member tells whether the expression holds for a customer: in memory, unless it sets customers beside each other.
func (s *Service) member(ctx context.Context, c *Compiled, facts Facts) (in bool, err error) {
	if !c.ranked {
		return c.Match(facts)
	}
	where, args := c.Where("c", "p")
	args["customer"] = facts.CustomerID
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM customers c WHERE c.customer_id = @customer AND `+where+`)`, args).Scan(&in)
	return in, err
}
