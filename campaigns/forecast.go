package campaigns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/campaigns/journey"
	"aldine/customers"
	"aldine/internal/fault"
	"aldine/segments"
)

// forecastTimeout ends each look at the audience.
const forecastTimeout = 30 * time.Second

// Forecast tells what a campaign would do and cost at most. It takes its turn among all who look at all customers. Fails with Invalid,
// NotFound, or Unavailable where there is no turn or a look takes longer than 30 seconds.
func (s *Service) Forecast(ctx context.Context, id int64) (Forecast, error) {
	var f Forecast
	leave, err := s.segments.Room(ctx)
	if err != nil {
		return f, err
	}
	defer leave()
	err = s.in(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', $1::text, true)`, strconv.FormatInt(s.patience.Milliseconds(), 10)); err != nil {
			return err
		}
		c, err := load(ctx, tx, id)
		if err != nil {
			return err
		}
		if c.SegmentID != nil && c.Expression == "" {
			if err := tx.QueryRow(ctx, `SELECT expression FROM segments WHERE segment_id = @id`, pgx.NamedArgs{"id": *c.SegmentID}).Scan(&c.Expression); err != nil {
				return err
			}
		}
		f, err = s.forecast(ctx, tx, c)
		if fault.Is(err, fault.Invalid) {
			return s.asSeen(ctx, tx, c.Expression, err)
		}
		return err
	})
	var stopped *pgconn.PgError
	if errors.As(err, &stopped) && stopped.Code == "57014" && ctx.Err() == nil { // query_canceled
		return f, fault.Wrap(fault.Unavailable, err, "The forecast took longer than %d seconds: narrow the audience, or try again later", int(s.patience.Seconds()))
	}
	return f, err
}

// asSeen gives what is wrong with an audience as the actor may see it: it may name what is private.
func (s *Service) asSeen(ctx context.Context, tx pgx.Tx, expression string, wrong error) error {
	if segments.MaySeeAll(ctx) {
		return wrong
	}
	veiled, err := segments.Veil(ctx, tx, s.now())
	if err != nil {
		return err
	}
	if veiled(expression) {
		return fault.New(fault.Invalid, "The audience is not valid any more. It asks for private attributes, which your role may not see: somebody who may has to correct it")
	}
	catalog, err := segments.CatalogFor(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := catalog.Compile(expression, s.now()); err != nil {
		return err
	}
	return wrong
}

// forecast counts the audience by list, divides it into cells, and lets it run through the journey.
func (s *Service) forecast(ctx context.Context, tx pgx.Tx, c Campaign) (f Forecast, err error) {
	f = Forecast{Currency: c.Currency, Budget: c.Budget, Fixed: c.FixedCost, Cells: []CellForecast{}, Steps: []StepForecast{}, Warnings: []string{}}
	cells, err := loadCells(ctx, tx, c.ID)
	if err != nil {
		return f, err
	}
	treated := decimal.Zero // percent outside the control cell
	for _, cell := range cells {
		if !cell.Control {
			if treated, err = treated.Add(cell.Share); err != nil {
				return f, err
			}
		}
	}
	if err := s.audience(ctx, tx, c, treated, &f); err != nil {
		return f, err
	}
	for _, cell := range cells {
		f.Cells = append(f.Cells, CellForecast{Name: cell.Name, Control: cell.Control, Customers: percent(f.Audience, cell.Share)})
	}
	if err := s.volumes(ctx, tx, c, percent(f.Audience, treated), &f); err != nil {
		return f, err
	}
	if err := s.capped(ctx, tx, c, &f); err != nil {
		return f, err
	}
	f.Fixed, f.Lists = tidy(f.Fixed), tidy(f.Lists)
	if f.Total, err = f.Fixed.Add(f.Lists); err != nil {
		return f, err
	}
	for _, st := range f.Steps {
		if f.Total, err = f.Total.Add(st.Cost); err != nil {
			return f, err
		}
	}
	f.Total = tidy(f.Total)
	if f.Audience == 0 {
		f.Warnings = append(f.Warnings, "Nobody is in the audience at present")
	}
	if f.Budget != nil && f.Budget.Cmp(f.Total) < 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("The budget of %s %s is below the forecast cost of %s %s: who comes after it is used up is excluded",
			f.Budget.Trim(2), c.Currency, f.Total.Trim(2), c.Currency))
	}
	return f, nil
}

// audience counts the customers by list and prices the rented names among them, those excepted that may not be used again.
func (s *Service) audience(ctx context.Context, tx pgx.Tx, c Campaign, treated decimal.Decimal, f *Forecast) error {
	catalog, err := segments.LoadCatalog(ctx, tx)
	if err != nil {
		return err
	}
	compiled, err := catalog.Compile(c.Expression, s.now())
	if err != nil {
		return err
	}
	where, args := compiled.Where("c", "w")
	licence, err := s.licenceArgs(ctx, c)
	if err != nil {
		return err
	}
	maps.Copy(args, licence)
	over := customers.LicenceOver("c", "l")
	rows, err := tx.Query(ctx, `
		SELECT n.list_id, n.names, n.hired, n.over, COALESCE(l.name, '')
		FROM (SELECT CASE WHEN c.rented OR l.list_id IS NULL THEN c.list_id END AS list_id, count(*) AS names,
				count(*) FILTER (WHERE c.rented AND l.list_id IS NOT NULL AND NOT `+over+` AND NOT `+paidBefore("c", "c.list_id")+`) AS hired,
				count(*) FILTER (WHERE `+over+`) AS over
			FROM customers c LEFT JOIN lists l ON l.list_id = c.list_id AND l.kind = 'rented'
			WHERE (`+where+`) GROUP BY 1) n
		LEFT JOIN lists l ON l.list_id = n.list_id ORDER BY n.list_id`, args)
	if err != nil {
		return err
	}
	var list *int64
	var names, hired, spent int64
	var name string
	hire := map[int64]int64{}
	_, err = pgx.ForEachRow(rows, []any{&list, &names, &hired, &spent, &name}, func() error {
		f.Audience += names
		if list == nil {
			return nil
		}
		id := *list
		f.lists = append(f.lists, &id)
		if hired > 0 {
			hire[id] = percent(hired, treated)
		}
		if spent > 0 {
			f.UsedUp += spent
			f.Warnings = append(f.Warnings, fmt.Sprintf("%d of %d names of %s are used up: the licence allows no further campaign, or its last day is over", spent, names, name))
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.Lists, err = hireCost(ctx, tx, c, hire)
	return err
}

// volumes lets customers run through the journey: a split divides them, a branch may send all either way.
func (s *Service) volumes(ctx context.Context, tx pgx.Tx, c Campaign, customers int64, f *Forecast) error {
	var raw json.RawMessage
	if err := tx.QueryRow(ctx, `SELECT (SELECT definition FROM journeys WHERE campaign_id = @id AND version = @version)`,
		pgx.NamedArgs{"id": c.ID, "version": c.Version}).Scan(&raw); err != nil || raw == nil {
		return err
	}
	d, err := journey.Parse(raw)
	if err != nil {
		return err
	}
	for _, v := range d.Volumes(customers) {
		step := d.Steps[v.Step]
		st := StepForecast{Key: step.Key, Channel: step.Type, Volume: v.Customers, UnitCost: decimal.Zero, Cost: decimal.Zero}
		if step.UnitCost != nil {
			st.UnitCost = *step.UnitCost
			n, err := decimal.New(v.Customers, 0)
			if err != nil {
				return err
			}
			if st.Cost, err = n.Mul(st.UnitCost); err != nil {
				return err
			}
		}
		st.UnitCost, st.Cost = tidy(st.UnitCost), tidy(st.Cost)
		f.Steps = append(f.Steps, st)
	}
	return nil
}

// tidy shows two places where two are enough, as amounts read from the database are.
func tidy(d decimal.Decimal) decimal.Decimal { return d.Trim(2).Pad(2) }

// percent gives a part of n, rounded up: a forecast of cost rather says too much.
func percent(n int64, share decimal.Decimal) int64 {
	whole, frac, ok := share.Int64(2)
	if !ok {
		return n
	}
	return (n*(whole*100+frac) + 9999) / 10000
}
