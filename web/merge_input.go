package web

import (
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"aldine/customers/mergepurge"
	"aldine/internal/fault"
)

// mergeInputPage is one file of a run: what its columns hold, and the first rows as they are compared.
type mergeInputPage struct {
	frame
	Form     form
	Run      mergepurge.Run
	Input    mergepurge.Input
	Columns  []mappingColumn
	Fields   []string
	Preview  mergepurge.Preview
	Shown    []string // fields of the preview that any row has
	Editable bool
}

var mergeInputView = pageView[mergeInputPage]("merge-input")

const mergePreviewRows = 10

func (p *Pages) mergeInput(c echo.Context) error { return p.showMergeInput(c, form{}) }

func (p *Pages) showMergeInput(c echo.Context, f form) error {
	run, in, err := p.mergeInputParam(c)
	if err != nil {
		return err
	}
	if in.Kind == mergepurge.House {
		return fault.New(fault.NotFound, "The house file has no columns to choose")
	}
	page := mergeInputPage{frame: p.frame(c, customersPlace, in.Name), Form: f, Run: run, Input: in}
	page.Editable = run.State == mergepurge.Draft && page.May("customers.write")
	if page.Preview, err = p.MergePurge.Preview(ctx(c), run.ID, in.No, mergePreviewRows); err != nil {
		return err
	}
	page.Fields = page.Preview.Fields
	for i, h := range page.Preview.Header {
		column := mappingColumn{Index: i, Header: h, Field: page.Preview.Mapping[h]}
		if f.values != nil {
			column.Field = f.Get("c" + strconv.Itoa(i))
		}
		for _, row := range page.Preview.Rows {
			if i < len(row.Cells) && len(column.Samples) < 5 {
				column.Samples = append(column.Samples, row.Cells[i])
			}
		}
		page.Columns = append(page.Columns, column)
	}
	page.Shown = shownFields(page.Preview.Rows)
	return showStatus(p, c, f.status(), mergeInputView, page)
}

// addressOrder is how people read a name and an address.
var addressOrder = []string{"external_id", "title", "full_name", "first_name", "middle_name", "last_name", "suffix", "company", "street_number", "street", "address2",
	"postal_code", "city", "region", "country", "email", "phone", "birth_date"}

// shownFields gives the fields that some row has, in the order of an address; others after them by name.
func shownFields(rows []mergepurge.PreviewRow) []string {
	has := map[string]bool{}
	for _, row := range rows {
		for name, value := range row.Standard {
			if value != "" {
				has[name] = true
			}
		}
	}
	var out []string
	for _, name := range addressOrder {
		if has[name] {
			out = append(out, name)
			delete(has, name)
		}
	}
	var rest []string
	for name := range has {
		rest = append(rest, name)
	}
	slices.Sort(rest)
	return append(out, rest...)
}

func (p *Pages) mergeInputSave(c echo.Context) error {
	run, in, err := p.mergeInputParam(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	mapping := map[string]string{}
	for i, h := range in.Header {
		if h != "" {
			mapping[h] = f.Get("c" + strconv.Itoa(i))
		}
	}
	if _, err := p.MergePurge.SetInput(ctx(c), run.ID, in.No, mapping, 0); err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showMergeInput(c, f)
	}
	return p.done(c, mergePath(run)+"/inputs/"+strconv.Itoa(in.No), "The columns are saved; below is how the rows are read now.")
}

// mappedColumns counts the columns of a file that are used.
func mappedColumns(in mergepurge.Input) int {
	n := 0
	for _, field := range in.Mapping {
		if field != "" {
			n++
		}
	}
	return n
}
