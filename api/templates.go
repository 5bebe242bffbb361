package api

import (
	"context"
	"net/http"

	"aldine/campaigns/content"
	"aldine/delivery"
	"aldine/internal/access"
)

type templateInput struct {
	Name    string `json:"name"`
	Channel string `json:"channel" enum:"email,sms,post,calls,letter,call" doc:"letter is post, call is calls."`
	Subject string `json:"subject,omitempty" doc:"Of e-mail, in Liquid."`
	HTML    string `json:"html,omitempty" doc:"Of e-mail, in Liquid."`
	Body    string `json:"body,omitempty" doc:"E-mail: the text part, made from the HTML when empty; else SMS text, letter or call script. In Liquid."`
}

func (t templateInput) template(id int64) content.Template {
	switch t.Channel {
	case "letter":
		t.Channel = "post"
	case "call":
		t.Channel = "calls"
	}
	return content.Template{ID: id, Name: t.Name, Channel: t.Channel, Subject: t.Subject, HTML: t.HTML, Body: t.Body}
}

func (a *API) templates() {
	const tag = "Templates"
	store := a.Campaigns.Templates()
	type list struct {
		Limits
		Search  string `query:"search"`
		Channel string `query:"channel" enum:"email,sms,post,calls"`
		After   string `query:"after" doc:"The last name of the page before."`
	}
	add(a, op{id: "listTemplates", method: http.MethodGet, path: "/templates", summary: "Templates", tag: tag, need: access.CampaignsRead},
		func(ctx context.Context, in *list) (page[content.Template], error) {
			out, err := store.List(ctx, content.Query{Search: in.Search, Channel: in.Channel, After: in.After, Limit: in.Limit})
			return cut(out, in.Limit, func(t content.Template) any { return t.Name }), err
		})
	add(a, op{id: "createTemplate", method: http.MethodPost, path: "/templates", summary: "Save a new template", tag: tag, need: access.CampaignsWrite, status: http.StatusCreated,
		doc: "Checked when saved: an unclosed tag or an unknown variable is named with its line."},
		func(ctx context.Context, in *body[templateInput]) (content.Template, error) {
			return store.Save(ctx, in.Body.template(0))
		})
	add(a, op{id: "getTemplate", method: http.MethodGet, path: "/templates/{id}", summary: "One template", tag: tag, need: access.CampaignsRead},
		func(ctx context.Context, in *One) (content.Template, error) { return store.Get(ctx, in.ID) })
	add(a, op{id: "updateTemplate", method: http.MethodPut, path: "/templates/{id}", summary: "Save a new version of a template", tag: tag, need: access.CampaignsWrite,
		doc: "Approved campaigns keep the version they were approved with."},
		func(ctx context.Context, in *with[templateInput]) (content.Template, error) {
			return store.Save(ctx, in.Body.template(in.ID))
		})
	add(a, op{id: "templateVersions", method: http.MethodGet, path: "/templates/{id}/versions", summary: "All versions of a template", tag: tag, need: access.CampaignsRead},
		func(ctx context.Context, in *One) (page[content.Template], error) {
			out, err := store.Versions(ctx, in.ID)
			return paged(out, nil), err
		})
	type previewRequest struct {
		CustomerID int64 `json:"customer_id,omitempty" doc:"A real customer; without one, nobody's data."`
		CampaignID int64 `json:"campaign_id,omitempty"`
		Version    int   `json:"version,omitempty" doc:"The newest where left out."`
	}
	add(a, op{id: "previewTemplate", method: http.MethodPost, path: "/templates/{id}/preview", summary: "A template filled in for a real customer", tag: tag,
		need: access.CustomersRead, doc: "Personal data is filled in, so seeing campaigns is not enough."},
		func(ctx context.Context, in *with[previewRequest]) (content.Rendered, error) {
			return a.Campaigns.Preview(ctx, in.Body.CampaignID, in.ID, in.Body.Version, in.Body.CustomerID)
		})
	type testMessage struct {
		To         string `json:"to" doc:"E-mail address or phone number."`
		CustomerID int64  `json:"customer_id,omitempty" doc:"Whose data to fill in."`
		CampaignID int64  `json:"campaign_id,omitempty"`
		Version    int    `json:"version,omitempty"`
	}
	act(a, op{id: "testSend", method: http.MethodPost, path: "/templates/{id}/test-send", summary: "Send a test to yourself", tag: tag, need: access.CampaignsWrite},
		func(ctx context.Context, in *with[testMessage]) error {
			b := in.Body
			return a.Delivery.TestSend(ctx, delivery.TestMessage{TemplateID: in.ID, Version: b.Version, CampaignID: b.CampaignID, CustomerID: b.CustomerID, To: b.To})
		})
}
