package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/internal/settings"
	"aldine/tracking"
)

// renderer fills in the template of a batch for one customer after the other.
type renderer struct {
	batch    batch
	settings settings.Values
	template *content.Compiled
	links    map[string]int64
	personal string // of a letter: the address behind its QR code, as written in the template
	urls     tracking.URLs
	answers  tracking.Addresses
	now      time.Time
}

func (s *Service) renderer(ctx context.Context, b batch) (*renderer, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	template, err := s.templates.Compiled(ctx, b.TemplateID, b.TemplateVersion)
	if err != nil {
		return nil, fmt.Errorf("template of step %s: %w", b.StepKey, err)
	}
	urls := template.Links()
	personal := ""
	if b.Channel == "post" {
		if personal = personalURL(template.Template().Body); personal != "" {
			urls = []string{personal}
		}
	}
	links, err := s.ensureLinks(ctx, b.CampaignID, urls)
	if err != nil {
		return nil, err
	}
	return &renderer{batch: b, settings: v, template: template, links: links, personal: personal, urls: s.urls, answers: s.answers, now: s.now()}, nil
}

// ensureLinks gives the numbers of a template's links; approval has stored them, so there is rarely one to add.
func (s *Service) ensureLinks(ctx context.Context, campaignID int64, urls []string) (map[string]int64, error) {
	links := map[string]int64{}
	if len(urls) == 0 {
		return links, nil
	}
	for _, sql := range []string{
		`SELECT url, link_id FROM links WHERE campaign_id = @campaign AND url = ANY(@urls) ORDER BY link_id`,
		`INSERT INTO links (campaign_id, url) SELECT @campaign, url FROM unnest(@urls::text[]) AS u (url)
			ON CONFLICT (campaign_id, url) DO UPDATE SET url = excluded.url RETURNING url, link_id`,
	} {
		rows, err := s.pool.Query(ctx, sql, pgx.NamedArgs{"campaign": campaignID, "urls": urls})
		if err != nil {
			return nil, err
		}
		var url string
		var link int64
		if _, err := pgx.ForEachRow(rows, []any{&url, &link}, func() error { links[url] = link; return nil }); err != nil {
			return nil, err
		}
		if len(links) == len(urls) {
			break
		}
	}
	return links, nil
}

func (r *renderer) token(customerID int64) tracking.Token {
	return tracking.Token{CampaignID: r.batch.CampaignID, StepID: r.batch.StepID, CustomerID: customerID}
}

// vars gives what all customers have in common of a template's values. Whoever fills in many of them one after the other keeps it.
func (r *renderer) vars() map[string]any {
	return content.Vars{
		Customer: map[string]any{}, CampaignName: r.batch.Name, CampaignCode: r.batch.Code,
		CompanyName: r.settings.CompanyName, CompanyAddress: r.settings.CompanyAddress, Today: r.now,
	}.Map()
}

// ways are the addresses by which a customer can leave.
type ways struct{ url, mail string }

// bind puts the values of one customer into the vars. It gives the customer's ways out, and what makes a link a tracked one.
func (r *renderer) bind(vars map[string]any, t *touch, p *customers.Profile) (out ways, rewrite func(string) string) {
	token := r.token(t.CustomerID)
	out.url, out.mail = r.urls.Leaving(r.answers, token)
	p.VarsInto(vars["customer"].(map[string]any))
	vars["keycode"], vars["unsubscribe_url"] = t.Keycode, out.url
	return out, func(url string) string {
		token.LinkID = r.links[url]
		return r.urls.ClickURL(token)
	}
}

// render fills in the template.
func (r *renderer) render(t *touch, p *customers.Profile) (content.Rendered, error) {
	vars := r.vars()
	_, rewrite := r.bind(vars, t, p)
	return r.template.Render(vars, rewrite)
}

// fill is render for those who keep the template's fixed text.
func (r *renderer) fill(vars map[string]any, t *touch, p *customers.Profile) (content.Values, ways, error) {
	out, rewrite := r.bind(vars, t, p)
	values, err := r.template.Fill(vars, rewrite)
	return values, out, err
}
