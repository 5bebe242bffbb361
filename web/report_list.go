package web

import (
	"bytes"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"aldine/internal/fault"
	"aldine/reports"
)

type reportListPage struct {
	frame
	Form        form
	States      []option
	Rows        []reports.Row
	Totals      []reports.Total
	Query       string // of the filters, for the export
	First, Next string
}

var reportListView = pageView[reportListPage]("reports")

// reportFilter reads the filters of the finance report; dates are days, the last one included.
func reportFilter(c echo.Context) (reports.Filter, form, error) {
	f := form{values: c.QueryParams()}
	filter := reports.Filter{State: f.Get("state"), Currency: f.Text("currency"), Search: f.Text("q")}
	date := func(name string) (*time.Time, error) {
		if f.Text(name) == "" {
			return nil, nil
		}
		t, err := time.Parse("2006-01-02", f.Text(name))
		if err != nil {
			return nil, fault.BadField(name, "Write the day as 2026-01-31")
		}
		return &t, nil
	}
	var err error
	if filter.LaunchedFrom, err = date("from"); err != nil {
		return filter, f, err
	}
	if filter.LaunchedTo, err = date("to"); err != nil {
		return filter, f, err
	}
	if filter.LaunchedTo != nil {
		next := filter.LaunchedTo.AddDate(0, 0, 1)
		filter.LaunchedTo = &next
	}
	return filter, f, nil
}

func (p *Pages) reportList(c echo.Context) error {
	filter, f, err := reportFilter(c)
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		filter = reports.Filter{}
	}
	page := reportListPage{frame: p.frame(c, reportsPlace, "Reports"), Form: f, States: stateOptions()}
	filter.After, _ = strconv.ParseInt(c.QueryParam("after"), 10, 64)
	query := url.Values{}
	for _, name := range []string{"q", "state", "currency", "from", "to"} {
		if v := f.Text(name); v != "" {
			query.Set(name, v)
		}
	}
	page.Query = query.Encode()
	if filter.After != 0 {
		page.First = "/reports?" + page.Query
	}
	filter.Limit = 100
	rows, next, err := p.Reports.Campaigns(ctx(c), filter)
	if err != nil {
		return err
	}
	if next != 0 {
		query.Set("after", number64(next))
		page.Next = "/reports?" + query.Encode()
	}
	page.Rows = rows
	if page.Totals, err = reports.Totals(rows); err != nil {
		return err
	}
	return showStatus(p, c, f.status(), reportListView, page)
}

// reportExport answers with all campaigns of the filter as CSV or as a workbook.
func (p *Pages) reportExport(c echo.Context) error {
	filter, _, err := reportFilter(c)
	if err != nil {
		return err
	}
	rows, err := p.Reports.AllCampaigns(ctx(c), filter)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	switch c.QueryParam("format") {
	case "xlsx":
		if err := reports.WriteCampaignsXLSX(&b, rows); err != nil {
			return err
		}
		return download(c, "campaigns.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b.Bytes())
	case "csv", "":
		if err := reports.WriteCampaignsCSV(&b, rows); err != nil {
			return err
		}
		return download(c, "campaigns.csv", "text/csv; charset=utf-8", b.Bytes())
	}
	return fault.BadField("format", "Choose csv or xlsx")
}
