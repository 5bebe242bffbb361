package campaigns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/content"
	"aldine/campaigns/journey"
	"aldine/internal/fault"
	"aldine/segments"
)

// expressionTx checks an expression; its faults keep line and column.
func (s *Service) expressionTx(ctx context.Context, tx pgx.Tx, expression, field string, f *faults) error {
	catalog, err := segments.CatalogFor(ctx, tx)
	if err != nil {
		return err
	}
	_, err = catalog.Compile(expression, s.now())
	return f.take(err, field)
}

// conditionTx checks a condition of a journey, which is asked of customers one by one.
func (s *Service) conditionTx(ctx context.Context, tx pgx.Tx, expression, field string, f *faults) error {
	catalog, err := segments.CatalogFor(ctx, tx)
	if err != nil {
		return err
	}
	_, err = catalog.CompileCondition(expression, s.now())
	return f.take(err, field)
}

// take adds the fields of an Invalid error under another name; other errors are given back.
func (f *faults) take(err error, name string) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.Invalid {
		return err
	}
	if len(e.Fields) == 0 {
		f.add(name, "%s", e.Message)
	}
	for _, field := range e.Fields {
		field.Name = name
		*f = append(*f, field)
	}
	return nil
}

// journeyTx checks a journey with its templates and conditions. The conditions are checked only where the campaign's
// row is there to be named by them.
func (s *Service) journeyTx(ctx context.Context, tx pgx.Tx, raw json.RawMessage, code string, conditions bool, f *faults) (journey.Definition, error) {
	d, err := journey.Parse(raw)
	var e *fault.Error
	if errors.As(err, &e) && e.Kind == fault.Invalid {
		*f = append(*f, e.Fields...)
		return d, nil
	} else if err != nil {
		return d, err
	}
	for _, i := range d.Sends() {
		if _, err := stepTemplate(ctx, tx, d, i, f); err != nil {
			return d, err
		}
	}
	if !conditions {
		return d, nil
	}
	for _, c := range d.Conditions() {
		if err := s.conditionTx(ctx, tx, journey.OwnCampaign(c.Expression, code), c.Field, f); err != nil {
			return d, err
		}
	}
	return d, nil
}

// stepTemplate finds the template of a send step.
func stepTemplate(ctx context.Context, q Querier, d journey.Definition, i int, f *faults) (content.Template, error) {
	step := d.Steps[i]
	field := fmt.Sprintf("journey.steps[%d].template", i)
	t, err := content.Find(ctx, q, step.Template)
	switch {
	case fault.Is(err, fault.NotFound):
		f.add(field, "There is no template %q", step.Template)
		return t, nil
	case err == nil && t.Channel != step.Type:
		f.add(field, "Template %q is for %s, the step is for %s", t.Name, t.Channel, step.Type)
	}
	return t, err
}

// CheckJourney checks a journey, its templates and conditions without storing it. Fails with Invalid.
func (s *Service) CheckJourney(ctx context.Context, raw json.RawMessage) error {
	var f faults
	err := s.in(ctx, func(tx pgx.Tx) error {
		code := ""
		// "this" needs a campaign to stand for: any will do.
		err := tx.QueryRow(ctx, `SELECT code FROM campaigns ORDER BY campaign_id LIMIT 1`).Scan(&code)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		_, err = s.journeyTx(ctx, tx, raw, code, code != "", &f)
		return err
	})
	if err != nil {
		return err
	}
	return f.err("The journey has mistakes")
}
