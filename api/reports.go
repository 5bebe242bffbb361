package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"aldine/internal/access"
	"aldine/reports"
)

type financeFilter struct {
	Format   string    `query:"format" enum:"json,csv,xlsx" default:"json"`
	State    string    `query:"state" enum:"draft,approved,running,paused,finished,cancelled"`
	Currency string    `query:"currency" doc:"ISO 4217"`
	Search   string    `query:"search" doc:"Part of the name or code."`
	From     time.Time `query:"launched_from"`
	To       time.Time `query:"launched_to"`
	After    int64     `query:"after" doc:"Of json: the next of the page before."`
	Limit    int       `query:"limit" minimum:"1" maximum:"1000" default:"200" doc:"Of json; files hold all."`
}

func (f *financeFilter) filter() reports.Filter {
	out := reports.Filter{State: f.State, Currency: f.Currency, Search: f.Search, After: f.After, Limit: f.Limit}
	if !f.From.IsZero() {
		out.LaunchedFrom = &f.From
	}
	if !f.To.IsZero() {
		out.LaunchedTo = &f.To
	}
	return out
}

// financeReport is the finance report as JSON.
type financeReport struct {
	page[reports.Row]
	Totals []reports.Total `json:"totals" doc:"Of this page, per currency."`
}

func (a *API) reports() {
	const tag = "Reports"
	add(a, op{id: "campaignReport", method: http.MethodGet, path: "/campaigns/{id}/report", summary: "What a campaign cost and brought in", tag: tag, need: access.ReportsRead},
		func(ctx context.Context, in *One) (reports.Report, error) { return a.Reports.Campaign(ctx, in.ID) })
	type ledger struct {
		One
		Limits
		After   string `query:"after"`
		Kind    string `query:"kind" enum:"fixed,piece,list,correction"`
		Step    int64  `query:"step"`
		Cell    int64  `query:"cell"`
		List    int64  `query:"list"`
		Channel string `query:"channel" enum:"email,sms,post,calls"`
		Keycode string `query:"keycode"`
	}
	add(a, op{id: "campaignLedger", method: http.MethodGet, path: "/campaigns/{id}/ledger", summary: "The cost entries behind the figures, oldest first", tag: tag, need: access.ReportsRead},
		func(ctx context.Context, in *ledger) (page[reports.Entry], error) {
			out, next, err := a.Reports.Ledger(ctx, in.ID, reports.LedgerPage{Kind: in.Kind, StepID: in.Step, CellID: in.Cell, ListID: in.List,
				Channel: in.Channel, Keycode: in.Keycode, After: in.After, Limit: in.Limit})
			return paged(out, next), err
		})
	type reconciliation struct {
		OK       bool              `json:"ok"`
		Problems []reports.Problem `json:"problems"`
	}
	add(a, op{id: "reconcileCampaign", method: http.MethodGet, path: "/campaigns/{id}/reconcile", summary: "Do plan, touches, ledger and report agree?", tag: tag, need: access.ReportsRead},
		func(ctx context.Context, in *One) (reconciliation, error) {
			p, err := a.Reports.Reconcile(ctx, in.ID)
			if p == nil {
				p = []reports.Problem{}
			}
			return reconciliation{OK: err == nil && len(p) == 0, Problems: p}, err
		})
	add(a, op{id: "dashboard", method: http.MethodGet, path: "/dashboard", summary: "What runs, what came back, what waits", tag: tag, need: access.CampaignsRead},
		func(ctx context.Context, _ *none) (reports.Dashboard, error) { return a.Reports.Dashboard(ctx) })

	types := []string{"application/json", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
	download(a, op{id: "financeReport", method: http.MethodGet, path: "/reports/campaigns", summary: "All campaigns for finance, as JSON, CSV or XLSX", tag: tag, need: access.ReportsRead}, types,
		func(ctx context.Context, in *financeFilter) (file, error) {
			if in.Format == "json" {
				rows, next, err := a.Reports.Campaigns(ctx, in.filter())
				if err != nil {
					return file{}, err
				}
				totals, err := reports.Totals(rows)
				return file{Type: types[0], Write: writeJSON(financeReport{paged(rows, next), totals})}, err
			}
			rows, err := a.Reports.AllCampaigns(ctx, in.filter())
			if err != nil {
				return file{}, err
			}
			if in.Format == "csv" {
				return file{Type: "text/csv; charset=utf-8", Name: "campaigns.csv",
					Write: func(w io.Writer) error { return reports.WriteCampaignsCSV(w, rows) }}, nil
			}
			return file{Type: types[2], Name: "campaigns.xlsx",
				Write: func(w io.Writer) error { return reports.WriteCampaignsXLSX(w, rows) }}, nil
		})
}
