package campaigns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/campaigns/journey"
	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/id"
)

// Create makes a draft. Fails with Invalid, naming all faulty fields, or Conflict where the code is taken.
func (s *Service) Create(ctx context.Context, in Input) (Details, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return Details{}, err
	}
	if strings.TrimSpace(in.Currency) == "" {
		in.Currency = v.BaseCurrency
	}
	p := Patch{Name: &in.Name, Objective: &in.Objective, Currency: &in.Currency, Budget: in.Budget, FixedCost: in.FixedCost,
		MarginRate: in.MarginRate, Segment: &in.Segment, Expression: &in.Expression, Cells: &in.Cells, Journey: in.Journey, EndsAt: &in.EndsAt}
	var c Campaign
	err = s.in(ctx, func(tx pgx.Tx) error {
		code := in.Code
		if strings.TrimSpace(code) == "" {
			if code, err = freeCode(ctx, tx, slug(in.Name)); err != nil {
				return err
			}
		}
		p.Code = &code
		// A row to begin with: its expressions may name the campaign itself. It goes away with any fault.
		c = Campaign{State: Draft, Version: 1}
		if err := tx.QueryRow(ctx, `
			INSERT INTO campaigns (code, name, currency, state, created_by, created_at, updated_at)
			VALUES (@code, '', 'XXX', 'draft', @by, @now, @now) RETURNING campaign_id, margin_rate`,
			pgx.NamedArgs{"code": "new " + id.New().String(), "by": access.From(ctx).String(), "now": s.now()}).Scan(&c.ID, &c.MarginRate); err != nil {
			return err
		}
		if err := s.applyTx(ctx, tx, &c, p); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "campaign.create", "campaign", c.ID, map[string]any{"code": c.Code, "name": c.Name})
	})
	return s.after(ctx, c.ID, codeTaken(err))
}

// Update changes a draft. Fails with Invalid, NotFound, or Conflict (no longer a draft, or changed by someone else).
func (s *Service) Update(ctx context.Context, id int64, p Patch) (Details, error) {
	err := s.in(ctx, func(tx pgx.Tx) error {
		c, err := lockTx(ctx, tx, id, p.RowVersion)
		if err != nil {
			return err
		}
		if c.State != Draft {
			hint := ""
			if c.State == Approved {
				hint = ": withdraw the approval first"
			}
			return fault.New(fault.Conflict, "The campaign is %s: it can't be changed%s", c.State, hint)
		}
		if err := s.applyTx(ctx, tx, &c, p); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "campaign.update", "campaign", id, map[string]any{"code": c.Code})
	})
	return s.after(ctx, id, codeTaken(err))
}

func codeTaken(err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.ConstraintName == "campaigns_code_key" {
		return fault.New(fault.Conflict, "There is a campaign with this code already: choose another")
	}
	return err
}

// freeCode gives a code that no campaign has: the one wanted, or with a number behind it.
func freeCode(ctx context.Context, tx pgx.Tx, wanted string) (string, error) {
	for i := 1; ; i++ {
		code := wanted
		if i > 1 {
			code = fmt.Sprintf("%s-%d", wanted, i)
		}
		var taken bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM campaigns WHERE code = @code)`, pgx.NamedArgs{"code": code}).Scan(&taken); err != nil || !taken {
			return code, err
		}
	}
}

// applyTx checks a patch as a whole and stores it.
func (s *Service) applyTx(ctx context.Context, tx pgx.Tx, c *Campaign, p Patch) error {
	var f faults
	if p.Name != nil {
		c.Name = f.text("name", *p.Name, 200, true)
	}
	if p.Code != nil && *p.Code != "" {
		c.Code = f.code(*p.Code)
	}
	if p.Objective != nil {
		c.Objective = f.text("objective", *p.Objective, 4000, false)
	}
	if p.Currency != nil {
		c.Currency = f.currency(*p.Currency)
	}
	if p.Budget != nil {
		c.Budget = p.Budget
		f.amount("budget", *p.Budget)
	}
	if p.FixedCost != nil {
		c.FixedCost = *p.FixedCost
		f.amount("fixed_cost", *p.FixedCost)
	}
	if p.MarginRate != nil {
		if c.MarginRate = *p.MarginRate; c.MarginRate.IsNeg() || c.MarginRate.Cmp(decimal.One) > 0 || c.MarginRate.Trim(0).Scale() > 6 {
			f.add("margin_rate", "The margin is a part of the revenue, 0 to 1 with at most 6 decimals: 0.4 is 40 %%")
		}
	}
	if p.EndsAt != nil {
		c.EndsAt = f.end(*p.EndsAt, s.now())
	}
	if err := s.audienceTx(ctx, tx, c, p, &f); err != nil {
		return err
	}
	var cells []cell
	if p.Cells != nil {
		cells = f.cells(*p.Cells)
	}
	if len(f) == 0 { // before the expressions are checked: they may name the campaign's new code
		if err := s.storeTx(ctx, tx, *c); err != nil {
			return err
		}
	}
	if c.SegmentID == nil {
		if err := s.expressionTx(ctx, tx, c.Expression, "expression", &f); err != nil {
			return err
		}
	}
	var definition *journey.Definition
	if len(p.Journey) > 0 && string(p.Journey) != "null" {
		d, err := s.journeyTx(ctx, tx, p.Journey, c.Code, len(f) == 0, &f)
		if err != nil {
			return err
		}
		definition = &d
	}
	if err := f.err("The campaign has mistakes"); err != nil {
		return err
	}
	if cells != nil {
		if err := storeCellsTx(ctx, tx, c.ID, cells); err != nil {
			return err
		}
	}
	if definition == nil {
		return nil
	}
	body, err := json.Marshal(definition)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO journeys (campaign_id, version, definition) VALUES (@id, @version, @definition)
		ON CONFLICT (campaign_id, version) DO UPDATE SET definition = excluded.definition`,
		pgx.NamedArgs{"id": c.ID, "version": c.Version, "definition": body})
	return err
}

// audienceTx takes over the segment or the expression; whichever is given replaces the other.
func (s *Service) audienceTx(ctx context.Context, tx pgx.Tx, c *Campaign, p Patch, f *faults) error {
	segment, expression := "", ""
	if p.Segment != nil {
		segment = strings.TrimSpace(*p.Segment)
	}
	if p.Expression != nil {
		expression = f.text("expression", *p.Expression, 20_000, false)
	}
	switch {
	case segment != "" && expression != "":
		f.add("segment", "Give a segment or an expression, not both")
	case segment != "":
		number, err := strconv.ParseInt(segment, 10, 64)
		if err != nil {
			number = 0
		}
		err = tx.QueryRow(ctx, `SELECT segment_id FROM segments WHERE name = @name OR segment_id = @number ORDER BY name = @name DESC LIMIT 1`,
			pgx.NamedArgs{"name": segment, "number": number}).Scan(&c.SegmentID)
		if errors.Is(err, pgx.ErrNoRows) {
			f.add("segment", "There is no segment %q", segment)
		} else if err != nil {
			return err
		}
		c.Expression = ""
	case p.Expression != nil || p.Segment != nil:
		c.SegmentID, c.Expression = nil, expression
		if p.Expression == nil {
			c.Expression = ""
		}
	}
	return nil
}

func (s *Service) storeTx(ctx context.Context, tx pgx.Tx, c Campaign) error {
	_, err := tx.Exec(ctx, `
		UPDATE campaigns SET code = @code, name = @name, objective = @objective, currency = @currency, budget = @budget,
			fixed_cost = @fixed, margin_rate = @margin, segment_id = @segment, expression = @expression, ends_at = @ends,
			row_version = row_version + CASE WHEN name = '' THEN 0 ELSE 1 END, updated_at = @now
		WHERE campaign_id = @id`, pgx.NamedArgs{
		"id": c.ID, "code": c.Code, "name": c.Name, "objective": c.Objective, "currency": c.Currency, "budget": c.Budget,
		"fixed": c.FixedCost, "margin": c.MarginRate, "segment": c.SegmentID, "expression": c.Expression, "ends": c.EndsAt, "now": s.now(),
	})
	return err
}

// storeCellsTx replaces a draft's cells; one that keeps its name keeps its number, which keycodes may know.
func storeCellsTx(ctx context.Context, tx pgx.Tx, campaignID int64, cells []cell) error {
	names := make([]string, len(cells))
	for i, c := range cells {
		names[i] = c.name
	}
	if _, err := tx.Exec(ctx, `DELETE FROM cells WHERE campaign_id = @id AND NOT name = ANY(@names)`,
		pgx.NamedArgs{"id": campaignID, "names": names}); err != nil {
		return err
	}
	for i, c := range cells {
		if _, err := tx.Exec(ctx, `
			INSERT INTO cells (campaign_id, name, share, is_control, position) VALUES (@id, @name, @share, @control, @position)
			ON CONFLICT (campaign_id, name) DO UPDATE SET share = excluded.share, is_control = excluded.is_control, position = excluded.position`,
			pgx.NamedArgs{"id": campaignID, "name": c.name, "share": c.points, "control": c.control, "position": i}); err != nil {
			return err
		}
	}
	return nil
}
