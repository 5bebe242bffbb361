package campaigns

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/internal/fault"
)

// Preview renders a template as a customer would get it; campaignID 0 previews without a campaign, version 0 the newest
// version. Nothing is tracked. Fails with NotFound or Invalid.
func (s *Service) Preview(ctx context.Context, campaignID, templateID int64, version int, customerID int64) (content.Rendered, error) {
	c, err := s.content.Compiled(ctx, templateID, version)
	if err != nil {
		return content.Rendered{}, err
	}
	return s.preview(ctx, c, campaignID, customerID)
}

// PreviewDraft renders a template that is not saved. Fails with NotFound or Invalid.
func (s *Service) PreviewDraft(ctx context.Context, t content.Template, customerID int64) (content.Rendered, error) {
	names, err := s.customers.FieldNames(ctx)
	if err != nil {
		return content.Rendered{}, err
	}
	c, err := content.Compile(t, names)
	if err != nil {
		hidden, failed := customers.Hidden(ctx, s.pool)
		if failed != nil {
			return content.Rendered{}, failed
		}
		if len(hidden) > 0 { // nothing private is proposed
			_, err = content.Compile(t, slices.DeleteFunc(names, func(name string) bool { return hidden[name] }))
		}
		return content.Rendered{}, err
	}
	return s.preview(ctx, c, 0, customerID)
}

func (s *Service) preview(ctx context.Context, c *content.Compiled, campaignID, customerID int64) (content.Rendered, error) {
	vars, err := s.vars(ctx, campaignID, customerID)
	if err != nil {
		return content.Rendered{}, err
	}
	vars.Keycode, vars.UnsubscribeURL = "SAMPLE00", "#unsubscribe"
	return c.Render(vars.Map(), nil)
}

// vars are the values that a template gets for a customer.
func (s *Service) vars(ctx context.Context, campaignID, customerID int64) (content.Vars, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return content.Vars{}, err
	}
	vars := content.Vars{CampaignName: "Campaign", CampaignCode: "campaign", CompanyName: v.CompanyName, CompanyAddress: v.CompanyAddress, Today: s.now()}
	if campaignID != 0 {
		c, err := load(ctx, s.pool, campaignID)
		if err != nil {
			return vars, err
		}
		vars.CampaignName, vars.CampaignCode = c.Name, c.Code
	}
	profiles, err := s.customers.Profiles(ctx, s.pool, []int64{customerID})
	if err != nil {
		return vars, err
	}
	p, ok := profiles[customerID]
	if !ok {
		return vars, fault.New(fault.NotFound, "There is no customer %d", customerID)
	}
	vars.Customer = p.Vars()
	return vars, nil
}

// ExpandLink fills the tags of a tracked link's target for the customer who clicked. Fails with NotFound or Invalid.
func (s *Service) ExpandLink(ctx context.Context, url string, customerID, campaignID int64) (string, error) {
	person, err := customers.Resolve(ctx, s.pool, customerID) // who may be part of another customer since
	if err != nil {
		return "", err
	}
	vars, err := s.vars(ctx, campaignID, person)
	if err != nil {
		return "", err
	}
	err = s.pool.QueryRow(ctx, `
		SELECT COALESCE((SELECT keycode FROM touches
			WHERE customer_id IN (@customer, @person) AND campaign_id = @campaign AND keycode IS NOT NULL
			ORDER BY customer_id = @customer DESC, planned_at DESC LIMIT 1), '')`,
		pgx.NamedArgs{"customer": customerID, "person": person, "campaign": campaignID}).Scan(&vars.Keycode)
	if err != nil {
		return "", err
	}
	return content.RenderURL(url, vars.Map())
}
