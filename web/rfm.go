package web

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"
	"github.com/labstack/echo/v4"

	"aldine/insights"
	"aldine/internal/fault"
)

type rfmPage struct {
	frame
	Form     form
	Grid     insights.Grid
	Blocks   []rfmBlock // one per R, the latest first
	Currency string
	Cell     *insights.Cell // the one clicked
	Average  decimal.Decimal
	Name     string
	Query    string // of the scheme
	Limits   []string
}

// rfmBlock is the table of one R: rows of F, columns of M.
type rfmBlock struct {
	R         int
	Customers int64
	Rows      []rfmRow
}

type rfmRow struct {
	F     int
	Cells []rfmCell
}

type rfmCell struct {
	insights.Cell
	Path, Class string
	Chosen      bool
}

var rfmView = pageView[rfmPage]("rfm")

func (p *Pages) rfm(c echo.Context) error {
	return p.showRFM(c, form{values: c.QueryParams()})
}

func (p *Pages) showRFM(c echo.Context, f form) error {
	page := rfmPage{frame: p.frame(c, reportsPlace, "Recency, frequency, value"), Form: f}
	values, err := p.Settings.Get(ctx(c))
	if err != nil {
		return err
	}
	page.Currency = values.BaseCurrency
	sc, err := schemeOf(f)
	if err == nil {
		if f.Get("anew") != "" {
			page.Grid, err = p.Insights.RFM(ctx(c), sc)
		} else {
			page.Grid, err = p.Insights.RecentRFM(ctx(c), sc)
		}
	}
	if err != nil {
		if err := page.Form.refused(err); err != nil {
			return err
		}
		return showStatus(p, c, page.Form.status(), rfmView, page)
	}
	query := url.Values{}
	for _, name := range []string{"how", "as_of", "returns", "days", "orders", "spent"} {
		if v := f.Text(name); v != "" {
			query.Set(name, v)
		}
	}
	page.Query = query.Encode()
	page.Blocks = rfmBlocks(page.Grid, page.Query, f.Get("cell"))
	if g := page.Grid.Cuts; g != nil {
		page.Limits = cutWords(*g)
	}
	for i, cell := range page.Grid.Cells {
		if cellCode(cell) == f.Get("cell") {
			page.Cell = &page.Grid.Cells[i]
			page.Average, _ = cell.Spent.Quo(decimal.MustNew(cell.Customers, 0))
			page.Name = "RFM " + cellCode(cell) + " " + p.Now().UTC().Format(time.DateOnly)
			if f.Text("name") != "" {
				page.Name = f.Text("name")
			}
		}
	}
	return showStatus(p, c, page.Form.status(), rfmView, page)
}

// rfmSave makes a segment of the cell that is shown.
func (p *Pages) rfmSave(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	sc, err := schemeOf(f)
	if err != nil {
		return err
	}
	code := f.Text("cell")
	if len(code) != 3 {
		return fault.BadField("cell", "choose a cell")
	}
	saved, err := p.Insights.SaveCell(ctx(c), sc, int(code[0]-'0'), int(code[1]-'0'), int(code[2]-'0'), f.Text("name"))
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		shown := f
		again := form{values: f.values, Message: shown.Message, faults: shown.faults, rest: shown.rest}
		return p.showRFM(c, again)
	}
	p.count(c, saved)
	return p.done(c, segmentPath(saved), "The cell is saved as a segment.")
}

// schemeOf reads how customers are scored.
func schemeOf(f form) (insights.Scheme, error) {
	sc := insights.Scheme{Nested: f.Get("how") == "nested", Returns: f.Get("returns") == "yes"}
	if day := f.Text("as_of"); day != "" {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return sc, fault.BadField("as_of", "%q is not a day: write it as 2026-01-31", day)
		}
		sc.AsOf = at
	}
	if f.Get("how") != "own" {
		return sc, nil
	}
	sc.Limits = &insights.Limits{}
	for name, into := range map[string]*[]int{"days": &sc.Limits.Days, "orders": &sc.Limits.Orders} {
		for _, text := range strings.Split(f.Text(name), ",") {
			n, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil {
				return sc, fault.BadField(name, "write one to four whole numbers apart by commas, such as 30, 90, 180, 365")
			}
			*into = append(*into, n)
		}
	}
	for _, text := range strings.Split(f.Text("spent"), ",") {
		d, err := decimal.Parse(strings.TrimSpace(text))
		if err != nil {
			return sc, fault.BadField("spent", "write one to four amounts apart by commas, such as 25, 50, 100, 200")
		}
		sc.Limits.Spent = append(sc.Limits.Spent, d)
	}
	return sc, nil
}

func cellCode(c insights.Cell) string { return fmt.Sprintf("%d%d%d", c.R, c.F, c.M) }

func rfmBlocks(g insights.Grid, query, chosen string) []rfmBlock {
	cells := map[[3]int]insights.Cell{}
	var most int64
	for _, c := range g.Cells {
		cells[[3]int{c.R, c.F, c.M}] = c
		most = max(most, c.Customers)
	}
	classes := []string{"rfm-0", "rfm-1", "rfm-2", "rfm-3", "rfm-4"}
	var blocks []rfmBlock
	for r := 5; r >= 1; r-- {
		b := rfmBlock{R: r}
		for f := 5; f >= 1; f-- {
			row := rfmRow{F: f}
			for m := 1; m <= 5; m++ {
				c := cells[[3]int{r, f, m}]
				b.Customers += c.Customers
				out := rfmCell{Cell: c}
				if c.Customers > 0 {
					code := cellCode(c)
					out.Path = "/reports/rfm?" + query + "&cell=" + code + "#cell"
					out.Class = classes[min(4, c.Customers*5/(most+1))]
					out.Chosen = code == chosen
				}
				row.Cells = append(row.Cells, out)
			}
			b.Rows = append(b.Rows, row)
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// cutWords says where the scores begin.
func cutWords(c insights.Cuts) []string {
	var r, f, m []string
	for _, day := range c.Days {
		r = append(r, day.Format(time.DateOnly))
	}
	for _, n := range c.Orders {
		f = append(f, number(n))
	}
	for _, d := range c.Spent {
		m = append(m, group(d.Trim(2).String()))
	}
	return []string{"R: last order after " + strings.Join(r, " / "), "F: more orders than " + strings.Join(f, " / "), "M: more than " + strings.Join(m, " / ")}
}

// Short gives an amount in a few characters; the exact one stands in the title.
func (rfmPage) Short(d decimal.Decimal) string {
	f, _ := d.Float64()
	switch {
	case f >= 999_500:
		return strconv.FormatFloat(f/1e6, 'f', 1, 64) + "m"
	case f >= 9_950:
		return strconv.FormatFloat(f/1e3, 'f', 0, 64) + "k"
	case f >= 999.5:
		return strconv.FormatFloat(f/1e3, 'f', 1, 64) + "k"
	}
	return strconv.FormatFloat(f, 'f', 0, 64)
}
