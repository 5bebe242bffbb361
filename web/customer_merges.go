package web

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"

	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/internal/fault"
)

// customerIdentity is what the customer's page says of who else he or she is, was, or may be.
type customerIdentity struct {
	Aliases  []int64 // numbers that lead here
	Merges   []duplicates.Merged
	Suspects []suspect
	Circles  []circle
}

// circle is who belongs with the customer at one level: household, address, company.
type circle struct {
	Title string
	customers.Circle
	Mailed int64 // who gets the piece that goes to all of them; 0 where that is not known
}

// suspect is somebody who may be the same person.
type suspect struct {
	Name, Path, Sure string
}

func (p *Pages) identityOf(ctx context.Context, id int64) (customerIdentity, error) {
	var out customerIdentity
	rows, err := p.Pool.Query(ctx, `SELECT old_id FROM customer_aliases WHERE customer_id = @id ORDER BY old_id LIMIT 100`, pgx.NamedArgs{"id": id})
	if err != nil {
		return out, err
	}
	if out.Aliases, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
		return out, err
	}
	if out.Merges, err = p.Duplicates.Merges(ctx, id); err != nil {
		return out, err
	}
	if out.Suspects, err = p.suspectsOf(ctx, id); err != nil {
		return out, err
	}
	out.Circles, err = p.circlesOf(ctx, id)
	return out, err
}

// circleShown is how many members of a circle a customer's page names.
const circleShown = 12

// circlesOf gives the circles that have others in them. One that is the household again is left out.
func (p *Pages) circlesOf(ctx context.Context, id int64) ([]circle, error) {
	h, err := p.Customers.Household(ctx, id, 0, circleShown)
	if err != nil {
		return nil, err
	}
	var out []circle
	if h.Household.Count > 1 {
		home := circle{Title: "Household", Circle: h.Household}
		// The same order as in planning: one piece for a household goes to its best customer.
		rows, err := p.Pool.Query(ctx, `
			SELECT m.customer_id FROM customers c JOIN customers m ON m.household_id = c.household_id AND m.rented = c.rented
			WHERE c.customer_id = @id ORDER BY m.total_spent DESC, m.last_order_at DESC NULLS LAST, m.customer_id LIMIT 1`, pgx.NamedArgs{"id": id})
		if err != nil {
			return nil, err
		}
		best, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return nil, err
		}
		if len(best) > 0 {
			home.Mailed = best[0]
		}
		out = append(out, home)
	}
	if h.Residence.Count > max(h.Household.Count, 1) {
		out = append(out, circle{Title: "Same address", Circle: h.Residence})
	}
	if h.Company.Count > 1 {
		out = append(out, circle{Title: "Same company", Circle: h.Company})
	}
	return out, nil
}

// suspectsOf finds the open pairs that a customer is in, the surest first.
func (p *Pages) suspectsOf(ctx context.Context, id int64) ([]suspect, error) {
	rows, err := p.Pool.Query(ctx, `
		SELECT customer_id, other_id, score FROM (
			SELECT customer_id, other_id, score FROM duplicates WHERE customer_id = @id AND state = 'open'
			UNION ALL
			SELECT customer_id, other_id, score FROM duplicates WHERE other_id = @id AND state = 'open') d
		ORDER BY score DESC, customer_id, other_id LIMIT 10`, pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, err
	}
	pairs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d duplicates.Pair, err error) {
		return d, row.Scan(&d.CustomerID, &d.OtherID, &d.Score)
	})
	if err != nil || pairs == nil {
		return nil, err
	}
	var ids []customers.ID
	for _, d := range pairs {
		ids = append(ids, d.CustomerID, d.OtherID)
	}
	found, err := p.Customers.Profiles(ctx, p.Pool, ids)
	if err != nil {
		return nil, err
	}
	var out []suspect
	for _, d := range pairs {
		other := d.OtherID
		if other == id {
			other = d.CustomerID
		}
		if customer, ok := found[other]; ok {
			out = append(out, suspect{customer.Name(), pairPath(d), sureness(d.Score)})
		}
	}
	return out, nil
}

type mergedUndoPage struct {
	frame
	Customer *customers.Customer
	Merged   duplicates.Merged
	Form     form
}

var mergedUndoView = pageView[mergedUndoPage]("customer-undo")

// mergedParam gives the customer and the merge that the address names.
func (p *Pages) mergedParam(c echo.Context) (customers.Customer, duplicates.Merged, error) {
	customer, err := p.customerParam(c)
	if err != nil {
		return customer, duplicates.Merged{}, err
	}
	merges, err := p.Duplicates.Merges(ctx(c), customer.ID)
	if err != nil {
		return customer, duplicates.Merged{}, err
	}
	for _, m := range merges {
		if m.ID == c.Param("merge") {
			return customer, m, nil
		}
	}
	return customer, duplicates.Merged{}, fault.New(fault.NotFound, "This customer has no such merge")
}

func (p *Pages) mergedUndoAsk(c echo.Context) error {
	customer, merged, err := p.mergedParam(c)
	if err != nil {
		return err
	}
	return p.showMergedUndo(c, customer, merged, formWith())
}

func (p *Pages) showMergedUndo(c echo.Context, customer customers.Customer, merged duplicates.Merged, f form) error {
	return showStatus(p, c, f.status(), mergedUndoView, mergedUndoPage{p.frame(c, customersPlace, "Undo the merge of "+number64(merged.OldID)), &customer, merged, f})
}

func (p *Pages) mergedUndo(c echo.Context) error {
	customer, merged, err := p.mergedParam(c)
	if err != nil {
		return err
	}
	undone, err := p.Duplicates.Undo(ctx(c), merged.ID)
	if err != nil {
		f := formWith()
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showMergedUndo(c, customer, merged, f)
	}
	said := "Undone: customer " + number64(merged.OldID) + " is there again as before the merge."
	if undone.Kept != nil {
		said += " Edited since and left as they are: " + and(labels(undone.Kept), 10) + "."
	}
	return p.done(c, "/customers/"+number64(customer.ID), said)
}

func labels(fields []string) []string {
	var out []string
	for _, f := range fields {
		out = append(out, fieldLabel(f))
	}
	return out
}
