package reports

import (
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"aldine/internal/csvsafe"
)

// column is one column of the finance files: value gives an int64, *float64, *Money, *time.Time or string.
type column struct {
	name  string
	value func(r *Row) any
}

var columns = []column{
	{"campaign_id", func(r *Row) any { return r.CampaignID }},
	{"code", func(r *Row) any { return r.Code }},
	{"name", func(r *Row) any { return r.Name }},
	{"state", func(r *Row) any { return r.State }},
	{"launched_at", func(r *Row) any { return r.LaunchedAt }},
	{"finished_at", func(r *Row) any { return r.FinishedAt }},
	{"currency", func(r *Row) any { return r.Currency }},
	{"budget", func(r *Row) any { return r.Budget }},
	{"planned", func(r *Row) any { return r.Planned }},
	{"quantity", func(r *Row) any { return r.Quantity }},
	{"excluded", func(r *Row) any { return r.Excluded }},
	{"failed", func(r *Row) any { return r.Failed }},
	{"bounced", func(r *Row) any { return r.Bounced }},
	{"unconfirmed", func(r *Row) any { return r.Unconfirmed }},
	{"cost", func(r *Row) any { return &r.Cost }},
	{"responses", func(r *Row) any { return r.Responses }},
	{"responders", func(r *Row) any { return r.Responders }},
	{"orders", func(r *Row) any { return r.Orders }},
	{"direct_orders", func(r *Row) any { return r.DirectOrders }},
	{"matchback_orders", func(r *Row) any { return r.MatchbackOrders }},
	{"revenue", func(r *Row) any { return r.Revenue }},
	{"direct_revenue", func(r *Row) any { return r.DirectRevenue }},
	{"matchback_revenue", func(r *Row) any { return r.MatchbackRevenue }},
	{"margin", func(r *Row) any { return r.Margin }},
	{"response_rate", func(r *Row) any { return r.ResponseRate }},
	{"order_rate", func(r *Row) any { return r.OrderRate }},
	{"cost_per_thousand", func(r *Row) any { return r.CostPerThousand }},
	{"cost_per_response", func(r *Row) any { return r.CostPerResponse }},
	{"cost_per_order", func(r *Row) any { return r.CostPerOrder }},
	{"contribution_per_order", func(r *Row) any { return r.ContributionPerOrder }},
	{"break_even_rate", func(r *Row) any { return r.BreakEvenRate }},
	{"roi", func(r *Row) any { return r.ROI }},
}

// WriteCampaignsCSV writes the finance report as CSV with a header line. A figure that is not available is an empty
// cell, and no text of a user can become a formula in a spreadsheet.
func WriteCampaignsCSV(w io.Writer, rows []Row) error {
	out := csvsafe.NewWriter(w)
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = c.name
	}
	if err := out.Write(record...); err != nil {
		return err
	}
	for i := range rows {
		for j, c := range columns {
			record[j] = text(c.value(&rows[i]))
		}
		if err := out.Write(record...); err != nil {
			return err
		}
	}
	return out.Flush()
}

func text(v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case *float64:
		if v != nil {
			return strconv.FormatFloat(*v, 'f', -1, 64)
		}
	case *Money:
		if v != nil {
			return v.String()
		}
	case *time.Time:
		if v != nil {
			return v.UTC().Format(time.RFC3339)
		}
	case string:
		return v
	}
	return ""
}

// Finance is the finance report as JSON.
type Finance struct {
	Items  []Row   `json:"items"`
	Totals []Total `json:"totals"`
}

// WriteCampaignsJSON writes the finance report with its totals per currency as JSON.
func WriteCampaignsJSON(w io.Writer, rows []Row) error {
	totals, err := Totals(rows)
	if err != nil {
		return err
	}
	if rows == nil {
		rows = []Row{}
	}
	return json.NewEncoder(w).Encode(Finance{Items: rows, Totals: totals})
}

// WriteCampaignsXLSX writes the finance report as a workbook of one sheet, row by row.
func WriteCampaignsXLSX(w io.Writer, rows []Row) (err error) {
	book := excelize.NewFile()
	defer func() {
		if e := book.Close(); err == nil {
			err = e
		}
	}()
	const sheet = "Campaigns"
	if err := book.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	style := func(format string) int {
		var id int
		if err == nil {
			id, err = book.NewStyle(&excelize.Style{CustomNumFmt: &format})
		}
		return id
	}
	money, share, moment := style("#,##0.00"), style("0.00%"), style("yyyy-mm-dd hh:mm")
	if err != nil {
		return err
	}
	out, err := book.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	cells := make([]any, len(columns))
	for i, c := range columns {
		cells[i] = c.name
	}
	if err := out.SetRow("A1", cells); err != nil {
		return err
	}
	for i := range rows {
		for j, c := range columns {
			cells[j] = nil
			switch v := c.value(&rows[i]).(type) {
			case *float64:
				if v != nil {
					cells[j] = excelize.Cell{StyleID: share, Value: *v}
				}
			case *Money:
				if v != nil { // spreadsheets know only binary numbers; the CSV is exact
					cells[j] = excelize.Cell{StyleID: money, Value: approx(*v)}
				}
			case *time.Time:
				if v != nil {
					cells[j] = excelize.Cell{StyleID: moment, Value: v.UTC()}
				}
			default:
				cells[j] = v
			}
		}
		at, err := excelize.CoordinatesToCellName(1, i+2)
		if err != nil {
			return err
		}
		if err := out.SetRow(at, cells); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return book.Write(w)
}
