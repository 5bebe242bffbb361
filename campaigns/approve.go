package campaigns

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/content"
	"aldine/campaigns/journey"
	"aldine/internal/fault"
	"aldine/internal/settings"
)

// Approve freezes a draft: audience, journey, template versions, links and keycodes. Details.Warnings say what may
// surprise, such as a budget below the forecast. Fails with Invalid (no budget, a broken journey, template or
// expression), Conflict, NotFound, or Unavailable where too many look at all customers. rowVersion guards against lost updates unless 0.
func (s *Service) Approve(ctx context.Context, id int64, rowVersion int) (Details, error) {
	names, err := s.customers.FieldNames(ctx)
	if err != nil {
		return Details{}, err
	}
	leave, err := s.segments.Room(ctx) // for the forecast: before the campaign is locked
	if err != nil {
		return Details{}, err
	}
	defer leave()
	var warnings []string
	err = s.change(ctx, id, rowVersion, Approve, func(tx pgx.Tx, c *Campaign) (err error) {
		warnings, err = s.freezeTx(ctx, tx, c, names)
		return err
	})
	d, err := s.after(ctx, id, err)
	d.Warnings = warnings
	return d, err
}

func (s *Service) freezeTx(ctx context.Context, tx pgx.Tx, c *Campaign, names []string) ([]string, error) {
	var f faults
	if c.Budget == nil {
		f.add("budget", "Set a budget before the approval")
	} else if c.Budget.Cmp(c.FixedCost) < 0 {
		f.add("budget", "The budget does not cover the fixed cost of %s %s", c.FixedCost.Trim(2), c.Currency)
	}
	if c.EndsAt != nil && !c.EndsAt.After(s.now()) {
		f.add("ends_at", "The campaign's end lies in the past")
	}
	if c.SegmentID != nil {
		if err := tx.QueryRow(ctx, `SELECT expression, version FROM segments WHERE segment_id = @id`, pgx.NamedArgs{"id": *c.SegmentID}).
			Scan(&c.Expression, &c.SegmentVersion); err != nil {
			return nil, fmt.Errorf("segment of campaign %d: %w", c.ID, err)
		}
	}
	field := "expression"
	if c.SegmentID != nil {
		field = "segment"
	}
	if err := s.expressionTx(ctx, tx, c.Expression, field, &f); err != nil {
		return nil, err
	}
	if err := inlineTx(ctx, tx, &c.Expression, field, &f); err != nil {
		return nil, err
	}
	if err := currencyTx(ctx, tx, *c, &f); err != nil {
		return nil, err
	}
	var raw json.RawMessage
	if err := tx.QueryRow(ctx, `
		SELECT (SELECT definition FROM journeys WHERE campaign_id = @id AND version = @version)`,
		pgx.NamedArgs{"id": c.ID, "version": c.Version}).Scan(&raw); err != nil {
		return nil, err
	}
	d, err := s.journeyTx(ctx, tx, raw, c.Code, true, &f)
	if err != nil {
		return nil, err
	}
	for _, condition := range d.Conditions() {
		if err := inlineTx(ctx, tx, &d.Steps[condition.Step].If, condition.Field, &f); err != nil {
			return nil, err
		}
	}
	templates, err := templatesTx(ctx, tx, d, names, &f)
	if err != nil {
		return nil, err
	}
	if err := f.err("The campaign can't be approved yet"); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `UPDATE campaigns SET expression = @expression, segment_version = @segment_version WHERE campaign_id = @id`,
		pgx.NamedArgs{"id": c.ID, "expression": c.Expression, "segment_version": c.SegmentVersion}); err != nil {
		return nil, err
	}
	if err := s.freezeJourneyTx(ctx, tx, *c, d, templates); err != nil {
		return nil, err
	}
	forecast, err := s.forecast(ctx, tx, *c)
	if err != nil {
		return nil, err
	}
	if err := s.keycodesTx(ctx, tx, c.ID, c.Version, forecast.lists); err != nil {
		return nil, err
	}
	return forecast.Warnings, s.firstCurrencyTx(ctx, tx, *c)
}

// firstCurrencyTx makes the currency of the first money there is the base currency.
func (s *Service) firstCurrencyTx(ctx context.Context, tx pgx.Tx, c Campaign) error {
	base, err := baseTx(ctx, tx)
	if err != nil || base != "" {
		return err
	}
	_, err = s.settings.UpdateTx(ctx, tx, func(v *settings.Values) error {
		if v.BaseCurrency != "" && v.BaseCurrency != c.Currency { // since a moment ago
			return fault.New(fault.Conflict, "The base currency has just been set: try again")
		}
		v.BaseCurrency = c.Currency
		return nil
	})
	return err
}

// inlineTx replaces the segments that an expression names by what they mean today.
func inlineTx(ctx context.Context, tx pgx.Tx, expression *string, field string, f *faults) error {
	if len(*f) > 0 || !strings.Contains(*expression, "in_segment") {
		return nil
	}
	rows, err := tx.Query(ctx, `SELECT name, expression FROM segments ORDER BY name`)
	if err != nil {
		return err
	}
	saved := map[string]string{}
	var name, meaning string
	if _, err := pgx.ForEachRow(rows, []any{&name, &meaning}, func() error { saved[name] = meaning; return nil }); err != nil {
		return err
	}
	frozen, err := journey.InlineSegments(*expression, func(name string) (string, bool) { s, ok := saved[name]; return s, ok })
	if err != nil {
		return f.take(err, field)
	}
	*expression = frozen
	return nil
}

// currencyTx makes sure that reports can state the campaign's money in the base currency.
func currencyTx(ctx context.Context, tx pgx.Tx, c Campaign, f *faults) error {
	base, err := c.baseTx(ctx, tx)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `
		SELECT m.currency FROM (
			SELECT @currency::char(3) AS currency
			UNION SELECT l.currency FROM lists l WHERE l.kind = 'rented' AND l.price_per_thousand > 0 AND l.currency IS NOT NULL
		) m WHERE m.currency <> @base AND NOT EXISTS (SELECT 1 FROM exchange_rates x WHERE x.currency = m.currency) ORDER BY 1`,
		pgx.NamedArgs{"currency": c.Currency, "base": base})
	if err != nil {
		return err
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, code := range missing {
		f.add("currency", "There is no exchange rate from %s to %s: add it in Settings", code, base)
	}
	return err
}

// templatesTx reads and checks the newest versions of a journey's templates, by the index of their step.
func templatesTx(ctx context.Context, tx pgx.Tx, d journey.Definition, names []string, f *faults) (map[int]*content.Compiled, error) {
	out := map[int]*content.Compiled{}
	if len(*f) > 0 {
		return out, nil
	}
	for _, i := range d.Sends() {
		t, err := stepTemplate(ctx, tx, d, i, f)
		if err != nil {
			return nil, err
		}
		compiled, err := content.Compile(t, names)
		if err != nil && !fault.Is(err, fault.Invalid) {
			return nil, err
		}
		if err != nil {
			f.add(fmt.Sprintf("journey.steps[%d].template", i), "Template %q: %s", t.Name, err)
			continue
		}
		out[i] = compiled
	}
	return out, nil
}

func (s *Service) freezeJourneyTx(ctx context.Context, tx pgx.Tx, c Campaign, d journey.Definition, templates map[int]*content.Compiled) error {
	steps := d.Freeze(c.Code, func(i int) (int64, int) { t := templates[i].Template(); return t.ID, t.Version })
	if err := journey.StoreStepsTx(ctx, tx, c.ID, c.Version, steps); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE journeys SET frozen_at = @now WHERE campaign_id = @id AND version = @version`,
		pgx.NamedArgs{"id": c.ID, "version": c.Version, "now": s.now()}); err != nil {
		return err
	}
	var urls []string
	for _, i := range d.Sends() {
		urls = append(urls, templates[i].Links()...)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO links (campaign_id, url) SELECT DISTINCT @id::bigint, u FROM unnest(@urls::text[]) u ORDER BY u
		ON CONFLICT (campaign_id, url) DO NOTHING`, pgx.NamedArgs{"id": c.ID, "urls": urls})
	return err
}
