package customers

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// Household is who belongs with a customer, at three levels.
type Household struct {
	CustomerID ID     `json:"customer_id"`
	Household  Circle `json:"household"` // surname at the residence, slips of the pen and parts of double names included
	Residence  Circle `json:"residence"` // address, whatever its spelling
	Company    Circle `json:"company"`   // company's name without legal form, in its country
}

// Circle is the customers of one level, the customer too. It is empty where the customer has no address or company.
type Circle struct {
	Count   int      `json:"count" doc:"How many there are; more than 1,000 are not counted."`
	More    bool     `json:"more" doc:"There are more than are listed."`
	Members []Member `json:"members"`
}

// Member is one customer of a circle.
type Member struct {
	ID      ID     `json:"id"`
	Name    string `json:"name"`
	Street  string `json:"street,omitempty"`
	Address string `json:"address,omitempty"` // on one line
	Rented  bool   `json:"rented,omitempty"`
}

// circleCount is up to how many members of a circle are counted.
const circleCount = 1000

// Household gives the first customers of each circle that a customer belongs to, by number, those after the number given (0: from
// the first), at most limit of each. NotFound where there is no customer.
func (s *Service) Household(ctx context.Context, id ID, after ID, limit int) (h Household, err error) {
	h.CustomerID = id
	var keys Keys
	err = s.pool.QueryRow(ctx, `SELECT household_id, residence_id, company_id FROM customers WHERE customer_id = @id`, pgx.NamedArgs{"id": id}).
		Scan(&keys.HouseholdID, &keys.ResidenceID, &keys.CompanyID)
	if errors.Is(err, pgx.ErrNoRows) {
		return h, fault.New(fault.NotFound, "There is no customer %d", id)
	}
	if err != nil {
		return h, err
	}
	limit = max(1, min(limit, 200))
	for _, level := range []struct {
		column string
		key    *int64
		circle *Circle
	}{{"household_id", keys.HouseholdID, &h.Household}, {"residence_id", keys.ResidenceID, &h.Residence}, {"company_id", keys.CompanyID, &h.Company}} {
		level.circle.Members = []Member{}
		if level.key == nil {
			continue
		}
		if err := s.circle(ctx, level.circle, level.column, *level.key, after, limit); err != nil {
			return h, err
		}
	}
	return h, nil
}

func (s *Service) circle(ctx context.Context, c *Circle, column string, key int64, after ID, limit int) error {
	args := pgx.NamedArgs{"key": key, "after": after, "limit": limit + 1, "count": circleCount}
	if err := s.pool.QueryRow(ctx, `SELECT count(*) FROM (SELECT 1 FROM customers WHERE `+column+` = @key LIMIT @count) AS c`, args).Scan(&c.Count); err != nil {
		return err
	}
	rows, err := s.pool.Query(ctx, `SELECT `+coreColumns+` FROM customers c WHERE `+column+` = @key AND customer_id > @after
		ORDER BY customer_id LIMIT @limit`, args)
	if err != nil {
		return err
	}
	members, err := pgx.CollectRows(rows, scanner(nil))
	if err != nil {
		return err
	}
	if c.More = len(members) > limit; c.More {
		members = members[:limit]
	}
	for i := range members {
		m := &members[i]
		c.Members = append(c.Members, Member{ID: m.ID, Name: m.Name(), Street: m.Street, Address: m.Address().line(), Rented: m.Rented})
	}
	return nil
}
