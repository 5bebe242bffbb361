package delivery

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/customers/normal"
	"aldine/delivery/email"
	"aldine/delivery/sms"
	"aldine/internal/fault"
	"aldine/internal/id"
	"aldine/tracking"
)

// TestMessage asks for one message outside any campaign's count: no touch, no cost, no tracking.
type TestMessage struct {
	TemplateID int64  `json:"template_id"`
	Version    int    `json:"version,omitempty"`     // 0: the newest
	CampaignID int64  `json:"campaign_id,omitempty"` // whose name and code to print; 0: none
	CustomerID int64  `json:"customer_id,omitempty"` // whose data to fill in; 0: nobody's
	To         string `json:"to"`                    // e-mail address or phone number
}

// TestSend sends one e-mail or SMS now, its subject marked "[Test]". It fails with Invalid (address, medium, template),
// NotFound, or Unavailable with the relay's or gateway's reason.
func (s *Service) TestSend(ctx context.Context, m TestMessage) error {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	if m.Version == 0 {
		newest, err := s.templates.Get(ctx, m.TemplateID)
		if err != nil {
			return err
		}
		m.Version = newest.Version
	}
	template, err := s.templates.Compiled(ctx, m.TemplateID, m.Version)
	if err != nil {
		return err
	}
	vars := content.Vars{
		CampaignName: "Test", CampaignCode: "test", Keycode: "TEST", CompanyName: v.CompanyName, CompanyAddress: v.CompanyAddress,
		UnsubscribeURL: s.urls.UnsubscribeURL(tracking.Token{}), Today: s.now(),
	}
	var p customers.Profile
	if m.CustomerID != 0 {
		found, err := customers.Profiles(ctx, s.pool, []int64{m.CustomerID})
		if err != nil {
			return err
		}
		var ok bool
		if p, ok = found[m.CustomerID]; !ok {
			return fault.New(fault.NotFound, "There is no customer %d", m.CustomerID)
		}
	}
	vars.Customer = p.Vars()
	if m.CampaignID != 0 {
		err := s.pool.QueryRow(ctx, `SELECT name, code FROM campaigns WHERE campaign_id = @campaign`,
			pgx.NamedArgs{"campaign": m.CampaignID}).Scan(&vars.CampaignName, &vars.CampaignCode)
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.New(fault.NotFound, "There is no campaign %d", m.CampaignID)
		}
		if err != nil {
			return err
		}
	}
	out, err := template.Render(vars.Map(), nil)
	if err != nil {
		return err
	}
	switch channel := template.Template().Channel; channel {
	case "email":
		return s.testMail(ctx, m.To, v.FromName, v.FromEmail, out)
	case "sms":
		return s.testText(ctx, m.To, v.SMSSender, v.DefaultCountry, out.Text)
	default:
		return fault.BadField("template_id", "A template for %s cannot be sent as a test; preview it instead", channel)
	}
}

func (s *Service) testMail(ctx context.Context, to, fromName, from string, out content.Rendered) error {
	address, err := normal.Email(to)
	if err != nil {
		return fault.BadField("to", "%q %v", to, err)
	}
	_, domain, _ := strings.Cut(from, "@")
	body, err := email.Compose(email.Message{
		ID: "test." + id.New().String() + "@" + domain, FromName: fromName, From: from, To: address,
		Subject: "[Test] " + out.Subject, Text: out.Text, HTML: out.HTML, Date: s.now(),
	})
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "The mail cannot be written")
	}
	if s.config.DKIM != nil {
		if body, err = s.config.DKIM.Sign(body, domain); err != nil {
			return fault.Wrap(fault.Invalid, err, "The mail cannot be signed")
		}
	}
	if err := s.mails.Send(ctx, from, address, body); err != nil {
		return fault.Wrap(fault.Unavailable, err, "The mail was not taken: %s", reasonOf(err))
	}
	return nil
}

func (s *Service) testText(ctx context.Context, to, from, country, text string) error {
	number, err := normal.Phone(to, country)
	if err != nil {
		return fault.BadField("to", "%q %v", to, err)
	}
	_, err = s.gateway.Send(ctx, sms.Message{ID: "test-" + id.New().String(), To: number, From: from, Text: "[Test] " + strings.TrimSpace(text)})
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The message was not taken: %s", reasonOf(err))
	}
	return nil
}

func reasonOf(err error) string {
	var m *email.Error
	var t *sms.Error
	switch {
	case errors.As(err, &m):
		return m.Reason
	case errors.As(err, &t):
		return t.Reason
	}
	return "it could not be handed over"
}
