package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"aldine/campaigns"
	"aldine/delivery"
	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/reports"
)

func (a *API) campaigns() {
	const tag = "Campaigns"
	type list struct {
		Limits
		State  campaigns.State `query:"state" enum:"draft,approved,running,paused,finished,cancelled"`
		Search string          `query:"search" doc:"Part of the name or code."`
		After  int64           `query:"after"`
	}
	add(a, op{id: "listCampaigns", method: http.MethodGet, path: "/campaigns", summary: "Campaigns, newest first", tag: tag, need: access.CampaignsRead},
		func(ctx context.Context, in *list) (page[campaigns.Summary], error) {
			out, err := a.Campaigns.List(ctx, campaigns.Query{State: in.State, Search: in.Search, Before: in.After, Limit: in.Limit})
			return cut(out, in.Limit, func(c campaigns.Summary) any { return c.ID }), err
		})
	add(a, op{id: "createCampaign", method: http.MethodPost, path: "/campaigns", summary: "Draft a campaign", tag: tag, need: access.CampaignsWrite, status: http.StatusCreated,
		doc: "With its journey as JSON: `{\"start\": \"mail\", \"steps\": [{\"key\": \"mail\", \"type\": \"email\", \"template\": \"Welcome\", \"unit_cost\": \"0.01\"}]}`."},
		func(ctx context.Context, in *body[campaigns.Input]) (campaigns.Details, error) {
			return a.Campaigns.Create(ctx, in.Body)
		})
	add(a, op{id: "getCampaign", method: http.MethodGet, path: "/campaigns/{id}", summary: "One campaign with its counts", tag: tag, need: access.CampaignsRead},
		func(ctx context.Context, in *One) (campaigns.Details, error) { return a.Campaigns.Get(ctx, in.ID) })
	change := func(ctx context.Context, in *with[campaigns.Patch]) (campaigns.Details, error) {
		return a.Campaigns.Update(ctx, in.ID, in.Body)
	}
	add(a, op{id: "updateCampaign", method: http.MethodPatch, path: "/campaigns/{id}", summary: "Change a draft", tag: tag, need: access.CampaignsWrite,
		doc: "Fields that are not named stay. Send row_version back to be told when somebody else was faster (409)."}, change)
	add(a, op{id: "replaceCampaign", method: http.MethodPut, path: "/campaigns/{id}", summary: "Change a draft", tag: tag, need: access.CampaignsWrite, doc: "The same as PATCH."}, change)

	type rowVersion struct {
		RowVersion int `json:"row_version,omitempty" doc:"Refuse where the campaign was changed since."`
	}
	type versioned struct {
		One
		Body *rowVersion
	}
	for _, s := range []struct {
		name, summary string
		need          access.Permission
		run           func(ctx context.Context, id int64, rowVersion int) (campaigns.Details, error)
	}{
		{"approve", "Approve a draft: freezes audience, journey, templates and keycodes", access.Approve, a.Campaigns.Approve},
		{"withdraw", "Make an approved campaign a draft again", access.Approve, a.Campaigns.Withdraw},
		{"launch", "Launch an approved campaign", access.CampaignsWrite, unversioned(a.Campaigns.Launch)},
		{"pause", "Hold a running campaign; nothing is skipped", access.CampaignsWrite, unversioned(a.Campaigns.Pause)},
		{"resume", "Go on with a paused campaign", access.CampaignsWrite, unversioned(a.Campaigns.Resume)},
		{"cancel", "End a campaign; what is not sent will not be", access.CampaignsWrite, unversioned(a.Campaigns.Cancel)},
	} {
		add(a, op{id: s.name + "Campaign", method: http.MethodPost, path: "/campaigns/{id}/" + s.name, summary: s.summary, tag: tag, need: s.need},
			func(ctx context.Context, in *versioned) (campaigns.Details, error) {
				v := 0
				if in.Body != nil {
					v = in.Body.RowVersion
				}
				return s.run(ctx, in.ID, v)
			})
	}
	add(a, op{id: "forecastCampaign", method: http.MethodGet, path: "/campaigns/{id}/forecast", summary: "Volumes and cost before launch", tag: tag, need: access.CampaignsRead},
		func(ctx context.Context, in *One) (campaigns.Forecast, error) {
			return a.Campaigns.Forecast(ctx, in.ID)
		})
	add(a, op{id: "campaignKeycodes", method: http.MethodGet, path: "/campaigns/{id}/keycodes", summary: "The keycodes of a campaign", tag: tag, need: access.CampaignsRead},
		func(ctx context.Context, in *One) (page[reports.Keycode], error) {
			if _, err := a.Campaigns.Get(ctx, in.ID); err != nil {
				return page[reports.Keycode]{}, err
			}
			out, err := a.Reports.Keycodes(ctx, in.ID)
			return paged(out, nil), err
		})
	type journey struct{ Body json.RawMessage }
	type journeyCheck struct {
		Valid  bool          `json:"valid"`
		Errors []fault.Field `json:"errors"`
	}
	add(a, op{id: "checkJourney", method: http.MethodPost, path: "/journeys/check", summary: "Check a journey", tag: tag, need: access.CampaignsRead},
		func(ctx context.Context, in *journey) (journeyCheck, error) {
			err := a.Campaigns.CheckJourney(ctx, in.Body)
			if f := (*fault.Error)(nil); asInvalid(err, &f) {
				return journeyCheck{Errors: f.Fields}, nil
			}
			return journeyCheck{Valid: err == nil, Errors: []fault.Field{}}, err
		})
	a.unconfirmed()
}

func unversioned(run func(context.Context, int64) (campaigns.Details, error)) func(context.Context, int64, int) (campaigns.Details, error) {
	return func(ctx context.Context, id int64, _ int) (campaigns.Details, error) { return run(ctx, id) }
}

func (a *API) unconfirmed() {
	const tag = "Campaigns"
	type list struct {
		One
		Limits
		After string `query:"after"`
	}
	add(a, op{id: "listUnconfirmed", method: http.MethodGet, path: "/campaigns/{id}/unconfirmed", tag: tag, need: access.CampaignsRead,
		summary: "Touches of which nobody knows whether they went out", doc: "With their addresses for those who may see customers."},
		func(ctx context.Context, in *list) (out page[delivery.Unconfirmed], err error) {
			var after *delivery.Unconfirmed
			if in.After != "" {
				step, customer, _ := strings.Cut(in.After, ".")
				s, err1 := strconv.ParseInt(step, 10, 64)
				c, err2 := strconv.ParseInt(customer, 10, 64)
				if err1 != nil || err2 != nil {
					return out, fault.BadField("after", "This is not a page of this list: start again without it")
				}
				after = &delivery.Unconfirmed{CampaignID: in.ID, StepID: s, CustomerID: c}
			}
			items, err := a.Delivery.UnconfirmedTouches(ctx, in.ID, after, in.Limit)
			if access.Require(ctx, access.CustomersRead) != nil {
				for i := range items {
					items[i].Destination = ""
				}
			}
			return cut(items, in.Limit, func(u delivery.Unconfirmed) any { return fmt.Sprintf("%d.%d", u.StepID, u.CustomerID) }), err
		})
	type unconfirmedDecision struct {
		StepID     int64 `json:"step_id,omitempty" doc:"0: of all steps"`
		CustomerID int64 `json:"customer_id,omitempty" doc:"0: of all customers"`
		Resend     bool  `json:"resend" doc:"true: send again; false: count them as sent"`
	}
	type decided struct {
		Touches int64 `json:"touches"`
	}
	add(a, op{id: "resolveUnconfirmed", method: http.MethodPost, path: "/campaigns/{id}/unconfirmed/resolve", tag: tag, need: access.CampaignsWrite,
		summary: "Decide about unconfirmed touches"},
		func(ctx context.Context, in *with[unconfirmedDecision]) (decided, error) {
			n, err := a.Delivery.ResolveUnconfirmed(ctx, in.ID, in.Body.StepID, in.Body.CustomerID, in.Body.Resend)
			return decided{n}, err
		})
}
