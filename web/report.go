package web

import (
	"net/url"
	"sort"

	"github.com/labstack/echo/v4"

	"aldine/reports"
)

type reportPage struct {
	frame
	reports.Report
	Days       *chart
	Breakdowns []breakdown
}

// breakdown is one table of lines; Param names the ledger's filter by which a line's costs are opened.
type breakdown struct {
	ID, Name, Param string // Name is the heading of the first column
	Lines           []reports.Line
}

var reportView = pageView[reportPage]("report")

func (p *Pages) reportShow(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	r, err := p.Reports.Campaign(ctx(c), id)
	if err != nil {
		return err
	}
	page := reportPage{frame: p.frame(c, reportsPlace, "Report: "+r.Name), Report: r, Breakdowns: []breakdown{
		{"cell", "Cell", "cell", r.Cells}, {"step", "Step", "step", r.Steps}, {"medium", "Medium", "channel", r.Media},
		{"list", "List", "list", r.Lists}, {"keycode", "Keycode", "keycode", r.Keycodes}}}
	for i, b := range page.Breakdowns {
		for j := range b.Lines {
			if b.ID == "medium" && b.Lines[j].Key != "" {
				page.Breakdowns[i].Lines[j].Name = mediumName(b.Lines[j].Key)
			}
		}
	}
	var rows []chartRow
	var any int64
	for _, d := range r.Days {
		rows = append(rows, chartRow{d.Key, []int64{d.Responses, d.Orders}})
		any += d.Responses + d.Orders
	}
	if any == 0 {
		return show(p, c, reportView, page)
	}
	page.Days = newChart("Responses and orders by day", []string{"Responses", "Orders"}, rows)
	return show(p, c, reportView, page)
}

// Counted gives a map of counts, the largest first.
func (p reportPage) Counted(m map[string]int64) []reason { return reasonsOf(m) }

// CostKinds gives the ledger's sums by kind, in a fixed order.
func (p reportPage) CostKinds() []costKind {
	var out []costKind
	for k, v := range p.Costs {
		out = append(out, costKind{k, v})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Kind < out[j].Kind })
	return out
}

type costKind struct {
	Kind   string
	Amount reports.Money
}

// ResponseKinds gives the responses by kind, the most frequent first.
func (p reportPage) ResponseKinds() []responseKind {
	var out []responseKind
	for k, v := range p.Kinds {
		out = append(out, responseKind{k, v})
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Touches != out[j].Touches {
			return out[i].Touches > out[j].Touches
		}
		return out[i].Kind < out[j].Kind
	})
	return out
}

type responseKind struct {
	Kind string
	reports.ResponseKind
}

type ledgerPage struct {
	frame
	ID          int64
	Name        string
	Filtered    bool
	Entries     []reports.Entry
	First, Next string
}

var ledgerView = pageView[ledgerPage]("ledger")

// reportLedger opens a figure down to the rows of the cost ledger.
func (p *Pages) reportLedger(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	d, err := p.Campaigns.Get(ctx(c), id)
	if err != nil {
		return err
	}
	q := reports.LedgerPage{Kind: c.QueryParam("kind"), Channel: c.QueryParam("channel"), Keycode: c.QueryParam("keycode"), After: c.QueryParam("after"), Limit: 100}
	q.StepID, _ = wholeNumber(c.QueryParam("step"))
	q.CellID, _ = wholeNumber(c.QueryParam("cell"))
	q.ListID, _ = wholeNumber(c.QueryParam("list"))
	page := ledgerPage{frame: p.frame(c, reportsPlace, "Ledger: "+d.Name), ID: id, Name: d.Name}
	entries, next, err := p.Reports.Ledger(ctx(c), id, q)
	if err != nil {
		return err
	}
	keep := url.Values{}
	for _, name := range []string{"kind", "channel", "keycode", "step", "cell", "list"} {
		if v := c.QueryParam(name); v != "" {
			keep.Set(name, v)
			page.Filtered = true
		}
	}
	base := "/reports/" + number64(id) + "/ledger?"
	if q.After != "" {
		page.First = base + keep.Encode()
	}
	if next != "" {
		keep.Set("after", next)
		page.Next = base + keep.Encode()
	}
	page.Entries = entries
	return show(p, c, ledgerView, page)
}
