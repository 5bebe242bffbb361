package insights

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/segments"
)

// Expression gives the expression for the customers of a cell: the cuts of today as limits, which stay as they are when customers
// move on. It fails with Invalid for a nested scheme, which no expression can say, and like RFM.
func (s *Service) Expression(ctx context.Context, sc Scheme, r, f, m int) (string, error) {
	if sc.Nested {
		return "", fault.BadField("nested", "cells of nested scores are kept as a list: no expression says who is in one")
	}
	g, err := s.RFM(ctx, sc)
	if err != nil {
		return "", err
	}
	if g.Cuts == nil {
		return "", fault.New(fault.NotFound, "Nobody has ordered")
	}
	for _, score := range []int{r, f, m} {
		if score < 1 || score > 5 {
			return "", fault.BadField("cell", "scores run from 1 to 5")
		}
	}
	return sc.expression(*g.Cuts, r, f, m), nil
}

func (sc Scheme) expression(cuts Cuts, r, f, m int) string {
	var counted []string // what an order must be to count
	if !sc.AsOf.IsZero() {
		counted = append(counted, `.at < date("`+sc.AsOf.UTC().Format(time.DateOnly)+`")`)
	}
	if !sc.Returns {
		counted = append(counted, ".quantity > 0 and .amount >= 0")
	}
	which := strings.Join(counted, " and ")
	count, sum := "orders_count", "total_spent"
	since := func(day time.Time) string { // the last order on this day or later
		return `last_order_at >= date("` + day.Format(time.DateOnly) + `")`
	}
	before := func(day time.Time) string { return `last_order_at < date("` + day.Format(time.DateOnly) + `")` }
	if !sc.derived() {
		count, sum = "count(orders, "+which+")", "sum(filter(orders, "+which+"), .amount)"
		from := func(day time.Time) string {
			return `(orders, ` + which + ` and .at >= date("` + day.Format(time.DateOnly) + `"))`
		}
		since = func(day time.Time) string { return "any" + from(day) }
		before = func(day time.Time) string { return "none" + from(day) }
	}
	var parts []string
	if r == 1 && f == 1 { // the others have a bound that says so
		parts = append(parts, count+" > 0")
	}
	next := func(day time.Time) time.Time { return day.AddDate(0, 0, 1) }
	if r > 1 {
		if r-2 >= len(cuts.Days) {
			return "orders_count < 0" // there is no such score
		}
		parts = append(parts, since(next(cuts.Days[r-2])))
	}
	if r-1 < len(cuts.Days) {
		parts = append(parts, before(next(cuts.Days[r-1])))
	}
	bounds := func(what string, score, n int, cut func(int) string) {
		if score > 1 && score-2 < n {
			parts = append(parts, what+" > "+cut(score-2))
		} else if score > 1 {
			parts = append(parts, what+" < 0 and "+what+" > 0")
		}
		if score-1 < n {
			parts = append(parts, what+" <= "+cut(score-1))
		}
	}
	bounds(count, f, len(cuts.Orders), func(i int) string { return fmt.Sprint(cuts.Orders[i]) })
	bounds(sum, m, len(cuts.Spent), func(i int) string { return cuts.Spent[i].Trim(0).String() })
	return strings.Join(parts, "\nand ")
}

// SaveCell saves the customers of a cell as a segment of the name: as limits, or where the scheme is nested as a list of those
// who are in the cell now. It fails like RFM, with NotFound where the cell is empty, and with Conflict where the name is taken.
func (s *Service) SaveCell(ctx context.Context, sc Scheme, r, f, m int, name string) (segments.Segment, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 90 {
		return segments.Segment{}, fault.BadField("name", "give the segment a name of at most 90 bytes")
	}
	d := segments.Draft{Name: name, Folder: "RFM", Description: fmt.Sprintf("RFM cell %d%d%d, %s, %s", r, f, m, sc.words(), s.now().UTC().Format(time.DateOnly))}
	if !sc.Nested {
		var err error
		if d.Expression, err = s.Expression(ctx, sc, r, f, m); err != nil {
			return segments.Segment{}, err
		}
		return s.segments.Create(ctx, d)
	}
	if _, err := s.segments.ByName(ctx, name); err == nil {
		return segments.Segment{}, fault.New(fault.Conflict, "There is a segment named %q already", name)
	} else if !fault.Is(err, fault.NotFound) {
		return segments.Segment{}, err
	}
	list, err := s.saveList(ctx, sc, r, f, m, name)
	if err != nil {
		return segments.Segment{}, err
	}
	d.Expression = fmt.Sprintf("in_list(%q)", name)
	saved, err := s.segments.Create(ctx, d)
	if err != nil { // somebody took the name in this moment
		_, undo := s.pool.Exec(ctx, `WITH gone AS (DELETE FROM list_members WHERE list_id = $1) DELETE FROM lists WHERE list_id = $1`, list)
		return segments.Segment{}, errors.Join(err, undo)
	}
	return saved, nil
}

// saveList keeps the members of a cell as a list of the house file.
func (s *Service) saveList(ctx context.Context, sc Scheme, r, f, m int, name string) (list int64, err error) {
	done, err := s.alone(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	all, err := s.shoppers(ctx, sc)
	if err != nil {
		return 0, err
	}
	var ids []int64
	nested(all, func(ofR, ofF, ofM int, part []shopper) {
		if ofR == r && ofF == f && ofM == m {
			for _, b := range part {
				ids = append(ids, b.id)
			}
		}
	})
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `INSERT INTO lists (name, kind, created_at) VALUES ($1, 'house', $2) RETURNING list_id`, name, s.now()).Scan(&list); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `INSERT INTO list_members (customer_id, list_id, added_at)
			SELECT c.customer_id, @list, @now FROM unnest(@ids::bigint[]) AS i (id) JOIN customers c ON c.customer_id = i.id ORDER BY c.customer_id
			FOR KEY SHARE OF c -- who is just being erased or merged is waited for, and left out`,
			pgx.NamedArgs{"list": list, "now": s.now(), "ids": ids})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.NotFound, "Nobody is in this cell")
		}
		return audit.RecordTx(ctx, tx, s.now(), "list.create", "list", list, map[string]any{"name": name, "members": tag.RowsAffected()})
	})
	var violation *pgconn.PgError
	if errors.As(err, &violation) && violation.Code == "23505" {
		return 0, fault.Wrap(fault.Conflict, err, "There is a list named %q already", name)
	}
	return list, err
}

// words says how the scores were made.
func (sc Scheme) words() string {
	text := "independent quintiles"
	switch {
	case sc.Nested:
		text = "nested quintiles"
	case sc.Limits != nil:
		text = "own limits"
	}
	if sc.Returns {
		text += ", returns counted"
	} else {
		text += ", without returns"
	}
	if !sc.AsOf.IsZero() {
		text += ", orders before " + sc.AsOf.UTC().Format(time.DateOnly)
	}
	return text
}
