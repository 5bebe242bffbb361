package mergepurge

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/govalues/decimal"
	"github.com/xuri/excelize/v2"

	"aldine/internal/csvsafe"
)

// WriteXLSX writes the report as a workbook: summary, lists, overlap, reasons of suppression, multi-buyers. Conflict where
// the run has no report.
func (s *Service) WriteXLSX(ctx context.Context, runID int64, w io.Writer) (err error) {
	run, err := s.run(ctx, s.pool, runID, "")
	if err != nil {
		return err
	}
	if err := run.finished(); err != nil {
		return err
	}
	b := &book{file: excelize.NewFile()}
	defer func() {
		if e := b.file.Close(); err == nil {
			err = e
		}
	}()
	bold, money := &excelize.Style{Font: &excelize.Font{Bold: true}}, "#,##0.00"
	if b.bold, err = b.file.NewStyle(bold); err != nil {
		return err
	}
	if b.money, err = b.file.NewStyle(&excelize.Style{CustomNumFmt: &money}); err != nil {
		return err
	}
	for _, sheet := range []struct {
		name string
		rows [][]any
	}{{"Summary", summaryRows(&run)}, {"Lists", listRows(run.Report)}, {"Overlap", overlapRows(run.Report)}, {"Suppressed reasons", reasonRows(run.Report)},
		{"Multi-buyers", multiRows(run.Report)}} {
		if err := b.sheet(sheet.name, sheet.rows); err != nil {
			return err
		}
	}
	if err := b.file.DeleteSheet("Sheet1"); err != nil {
		return err
	}
	return b.file.Write(w)
}

// book writes sheets row by row; the first row of each is its head.
type book struct {
	file        *excelize.File
	bold, money int
}

func (b *book) sheet(name string, rows [][]any) error {
	if _, err := b.file.NewSheet(name); err != nil {
		return err
	}
	out, err := b.file.NewStreamWriter(name)
	if err != nil {
		return err
	}
	if err := out.SetColWidth(1, 1, 32); err != nil {
		return err
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	for i, row := range rows {
		cells := make([]any, len(row))
		for j, v := range row {
			switch v := v.(type) {
			case string: // stored as text, and safe where it is copied into a CSV too
				cell := excelize.Cell{Value: csvsafe.Cell(v)}
				if i == 0 {
					cell.StyleID = b.bold
				}
				cells[j] = cell
			case decimal.Decimal:
				f, _ := v.Float64() // spreadsheets know only binary numbers; the JSON is exact
				cells[j] = excelize.Cell{StyleID: b.money, Value: f}
			default:
				cells[j] = v
			}
		}
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return err
		}
		if err := out.SetRow(at, cells); err != nil {
			return err
		}
	}
	return out.Flush()
}

func summaryRows(run *Run) [][]any {
	r := run.Report
	input, rejected, suppressed, duplicates := int64(0), int64(0), int64(0), int64(0)
	for _, in := range r.Inputs {
		if in.Kind == Suppression {
			continue
		}
		input, rejected, suppressed = input+in.Input, rejected+in.Rejected, suppressed+in.Suppressed
		duplicates += in.IntraDuplicates + in.InterDuplicates + in.HouseMatches
	}
	rows := [][]any{{"Merge/purge run", run.Name}, {"Level", run.Level}, {"Allocation", run.Allocation}, {"Seed", run.Seed}, {"Suppressions of channel", run.Channel},
		{"Threshold", run.Threshold}, {"Review from", run.Review}, {"State", run.State}, {"Names in", input}, {"Rejected", rejected}, {"Suppressed", suppressed},
		{"Duplicates", duplicates}, {"Net names", r.Net}, {"House names that rented lists have too", r.HouseFlagged}, {"Pairs to review", r.ReviewPairs},
		{"Seconds", r.Seconds}}
	totals := map[string]decimal.Decimal{}
	for _, in := range r.Inputs {
		if in.Charge == nil {
			continue
		}
		if sum, err := totals[in.Charge.Currency].Add(in.Charge.Total); err == nil {
			totals[in.Charge.Currency] = sum
		}
	}
	for _, c := range slices.Sorted(maps.Keys(totals)) {
		rows = append(rows, []any{"List charges " + c, totals[c]})
	}
	return rows
}

func listRows(r *Report) [][]any {
	rows := [][]any{{"List", "Kind", "Input", "Rejected", "Suppressed", "Duplicates within", "Duplicates of other lists", "House matches", "Of these by level", "Net",
		"Multi-buyers", "Entries", "Names taken out", "Gross", "Chargeable", "Base charge", "Running charge", "Extra charge", "Charge", "Currency"}}
	for _, in := range r.Inputs {
		row := []any{in.Name, in.Kind, in.Input, in.Rejected, in.Suppressed, in.IntraDuplicates, in.InterDuplicates, in.HouseMatches, in.ByLevel, in.Net,
			in.MultiBuyers, in.Entries, in.Suppresses}
		if c := in.Charge; c != nil {
			row = append(row, c.Gross, c.Chargeable, c.Base, c.Running, c.Extra, c.Total, c.Currency)
		}
		rows = append(rows, row)
	}
	return rows
}

func overlapRows(r *Report) [][]any {
	head := []any{"Names of the row's list that are also on"}
	rows := [][]any{nil}
	for i, in := range r.Inputs {
		head = append(head, in.Name)
		row := []any{in.Name}
		for _, n := range r.Overlap[i] {
			row = append(row, n)
		}
		rows = append(rows, row)
	}
	rows[0] = head
	return rows
}

func reasonRows(r *Report) [][]any {
	rows := [][]any{{"List", "Reason", "Names"}}
	for _, in := range r.Inputs {
		for _, why := range slices.Sorted(maps.Keys(in.SuppressedBy)) {
			rows = append(rows, []any{in.Name, why, in.SuppressedBy[why]})
		}
	}
	return rows
}

func multiRows(r *Report) [][]any {
	rows := [][]any{{"On rented lists", "Names"}}
	for _, n := range slices.Sorted(maps.Keys(r.Multi)) {
		rows = append(rows, []any{fmt.Sprintf("%dx", n), r.Multi[n]})
	}
	return rows
}
