package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/govalues/decimal"

	"aldine/customers/mergepurge"
)

// mergeReport is a run's report with what its page works out from it.
type mergeReport struct {
	Report    *mergepurge.Report
	Lines     []mergeLine
	Totals    mergeTotals // of the lists that give names
	HasTakers bool        // there are suppression files below them
	AddsUp    bool
	Off       []string // what does not add up, in words
	Overlap   []overlapRow
	Multi     []counted
}

type mergeLine struct {
	mergepurge.InputReport
	Reasons  []counted
	NetShare *float64
}

type counted struct {
	Name  string
	Count int64
}

// mergeTotals are sums over the lists that can give names: suppression files have sums of their own.
type mergeTotals struct {
	Input, Rejected, Suppressed, Intra, Inter, House, Net int64
	NetShare                                              *float64
	Charges                                               []amountIn
}

type amountIn struct {
	Amount   decimal.Decimal
	Currency string
}

// Duplicates of all kinds.
func (t mergeTotals) Duplicates() int64 { return t.Intra + t.Inter + t.House }

func (t mergeTotals) outcome() int64 { return t.Rejected + t.Suppressed + t.Duplicates() + t.Net }

type overlapRow struct {
	Name  string
	Cells []overlapCell
}

type overlapCell struct {
	Count int64
	Heat  int // 0 to 5: share of the row's list
	Title string
}

func reportOf(run mergepurge.Run) mergeReport {
	if run.Report == nil {
		return mergeReport{}
	}
	r := mergeReport{Report: run.Report}
	charges := map[string]decimal.Decimal{}
	var takers []mergeLine // suppression files stand below the lists that give names
	for _, in := range run.Report.Inputs {
		line := mergeLine{InputReport: in}
		for name, n := range in.SuppressedBy {
			line.Reasons = append(line.Reasons, counted{sayWord(name), n})
		}
		slices.SortFunc(line.Reasons, func(a, b counted) int {
			if a.Count != b.Count {
				return int(b.Count - a.Count)
			}
			return strings.Compare(a.Name, b.Name)
		})
		if in.Kind == mergepurge.Suppression {
			if in.Input != in.Rejected+in.Entries {
				r.Off = append(r.Off, fmt.Sprintf("%s has %s records, of which %s are accounted for.", in.Name, number(in.Input), number(in.Rejected+in.Entries)))
			}
			takers = append(takers, line)
			continue
		}
		one := mergeTotals{Input: in.Input, Rejected: in.Rejected, Suppressed: in.Suppressed, Intra: in.IntraDuplicates, Inter: in.InterDuplicates, House: in.HouseMatches, Net: in.Net}
		if one.Input != one.outcome() {
			r.Off = append(r.Off, fmt.Sprintf("%s has %s records, of which %s are accounted for.", in.Name, number(in.Input), number(one.outcome())))
		}
		line.NetShare = shareOf(in.Net, in.Input)
		r.Lines = append(r.Lines, line)
		r.Totals.add(one)
		if in.Charge != nil {
			sum, err := charges[in.Charge.Currency].Add(in.Charge.Total)
			if err != nil {
				continue
			}
			charges[in.Charge.Currency] = sum
		}
	}
	r.Lines, r.HasTakers = append(r.Lines, takers...), takers != nil
	t := &r.Totals
	t.NetShare = shareOf(t.Net, t.Input)
	for currency, sum := range charges {
		t.Charges = append(t.Charges, amountIn{sum, currency})
	}
	slices.SortFunc(t.Charges, func(a, b amountIn) int { return strings.Compare(a.Currency, b.Currency) })
	if t.Net != run.Report.Net {
		r.Off = append(r.Off, fmt.Sprintf("The lists give %s net names, the run %s.", number(t.Net), number(run.Report.Net)))
	}
	if t.Input != t.outcome() {
		r.Off = append(r.Off, fmt.Sprintf("All lists have %s records, of which %s are accounted for.", number(t.Input), number(t.outcome())))
	}
	r.AddsUp = r.Off == nil
	r.Overlap = overlapOf(run.Report)
	for n, count := range run.Report.Multi {
		r.Multi = append(r.Multi, counted{strconv.Itoa(n), count})
	}
	slices.SortFunc(r.Multi, func(a, b counted) int { return len(a.Name)*1000 - len(b.Name)*1000 + strings.Compare(a.Name, b.Name) })
	return r
}

func (t *mergeTotals) add(o mergeTotals) {
	t.Input += o.Input
	t.Rejected += o.Rejected
	t.Suppressed += o.Suppressed
	t.Intra += o.Intra
	t.Inter += o.Inter
	t.House += o.House
	t.Net += o.Net
}

// shareOf gives part of whole, nil where there is no whole.
func shareOf(part, whole int64) *float64 {
	if whole == 0 {
		return nil
	}
	f := float64(part) / float64(whole)
	return &f
}

// overlapOf lays out the matrix; nil where it does not fit the lists.
func overlapOf(r *mergepurge.Report) []overlapRow {
	if len(r.Overlap) != len(r.Inputs) {
		return nil
	}
	var out []overlapRow
	for i, counts := range r.Overlap {
		row := overlapRow{Name: r.Inputs[i].Name}
		for j, n := range counts {
			if j >= len(r.Inputs) {
				break
			}
			cell := overlapCell{Count: n}
			if i == j {
				cell.Title = fmt.Sprintf("%s names on %s", number(n), row.Name)
			} else if share := shareOf(n, counts[i]); share != nil {
				cell.Heat = heat(*share)
				cell.Title = fmt.Sprintf("%s of the %s names on %s (%.1f %%) are also on %s", number(n), number(counts[i]), row.Name, *share*100, r.Inputs[j].Name)
			}
			row.Cells = append(row.Cells, cell)
		}
		out = append(out, row)
	}
	return out
}

// heat gives the step of shading for a share: none, up to 1, 5, 15, 40 per cent, and more.
func heat(share float64) int {
	for step, upTo := range []float64{0, 0.01, 0.05, 0.15, 0.40} {
		if share <= upTo {
			return step
		}
	}
	return 5
}
