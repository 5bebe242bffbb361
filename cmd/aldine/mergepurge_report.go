package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/govalues/decimal"

	"aldine/customers/mergepurge"
	"aldine/internal/fault"
)

// mergeInput is an input as the command line names it.
type mergeInput struct {
	mergepurge.NewInput
	Path string
}

// inputs reads the flags, in the order of priority: house, rented lists as they are given, suppression files.
func (c mergeRun) inputs() ([]mergeInput, error) {
	var inputs []mergeInput
	switch {
	case c.NoHouse && c.House != nil:
		return nil, fault.BadField("no-house", "give --house or --no-house, not both")
	case !c.NoHouse && c.House == nil:
		inputs = append(inputs, mergeInput{NewInput: mergepurge.NewInput{Kind: mergepurge.House, Name: "house"}})
	}
	for i, expression := range c.House {
		name := "house"
		if i > 0 {
			name = "house " + strconv.Itoa(i+1)
		}
		if before, after, found := strings.Cut(expression, ":"); found && plainWord(before) {
			name, expression = before, after
		}
		inputs = append(inputs, mergeInput{NewInput: mergepurge.NewInput{Kind: mergepurge.House, Name: name, Expression: strings.TrimSpace(expression)}})
	}
	for kind, specs := range map[string][]string{mergepurge.Rented: c.Rented, mergepurge.Suppression: c.Suppress} {
		flag := map[string]string{mergepurge.Rented: "rented", mergepurge.Suppression: "suppress"}[kind]
		for _, spec := range specs {
			in, err := parseMergeInput(kind, flag, spec)
			if err != nil {
				return nil, err
			}
			inputs = append(inputs, in)
		}
	}
	slices.SortStableFunc(inputs, func(a, b mergeInput) int { return place(a.Kind) - place(b.Kind) })
	return inputs, nil
}

func place(kind string) int {
	return slices.Index([]string{mergepurge.House, mergepurge.Rented, mergepurge.Suppression}, kind)
}

func plainWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == ' ')
	})
}

// parseMergeInput reads NAME=FILE,key=value,... A comma that no key follows is part of what stands before it.
func parseMergeInput(kind, flag, spec string) (mergeInput, error) {
	in := mergeInput{NewInput: mergepurge.NewInput{Kind: kind}}
	parts := strings.Split(spec, ",")
	name, path, found := strings.Cut(parts[0], "=")
	if !found {
		name, path = "", parts[0]
	}
	in.Name, in.Path = strings.TrimSpace(name), path
	last := &in.Path
	values, order := map[string]*string{}, []string{}
	for _, part := range parts[1:] {
		key, value, found := strings.Cut(part, "=")
		if key = strings.TrimSpace(key); found && (mergeKeys[key] || strings.HasPrefix(key, "map.")) {
			v := strings.TrimSpace(value)
			values[key], last = &v, &v
			order = append(order, key)
			continue
		}
		*last += "," + part
	}
	deal := &mergepurge.Deal{NetShare: decimal.One}
	for _, key := range order {
		value := *values[key]
		if column, found := strings.CutPrefix(key, "map."); found {
			if in.Mapping == nil {
				in.Mapping = map[string]string{}
			}
			in.Mapping[column] = value
			continue
		}
		var err error
		switch key {
		case "priority":
			in.Priority, err = strconv.Atoi(value)
		case "price":
			deal.PricePerThousand, err = decimal.Parse(value)
		case "net":
			deal.NetShare, err = decimal.Parse(value)
		case "running":
			deal.RunningCharge, err = decimal.Parse(value)
		case "extra":
			deal.ExtraPerThousand, err = decimal.Parse(value)
		case "gross":
			deal.Gross, err = strconv.ParseInt(value, 10, 64)
		case "uses":
			deal.Uses, err = strconv.Atoi(value)
		case "currency":
			deal.Currency = strings.ToUpper(value)
		case "mail-by":
			deal.MailBy = value
		}
		if err != nil {
			return in, fault.BadField(flag, "%s: %q is not a number", key, value)
		}
		if key != "priority" {
			in.Deal = deal
		}
	}
	return in, nil
}

var mergeKeys = map[string]bool{"price": true, "net": true, "running": true, "extra": true, "currency": true, "gross": true, "uses": true, "mail-by": true, "priority": true}

func printMergeReport(run mergepurge.Run, out io.Writer) error {
	r := run.Report
	fmt.Fprintf(out, "Run %d, %s: %s at level %s, %s, in %.1f s\n\n", run.ID, run.Name, run.State, run.Level, run.Allocation, r.Seconds)
	t := newTable(out, "LIST", "KIND", "INPUT", "REJECTED", "SUPPRESSED", "INTRA", "INTER", "HOUSE", "NET", "MULTI", "CHARGE")
	for _, in := range r.Inputs {
		charge := ""
		if in.Charge != nil {
			charge = strings.TrimSpace(in.Charge.Total.String() + " " + in.Charge.Currency)
		}
		if in.Kind == mergepurge.Suppression {
			t.row(in.Name, in.Kind, in.Input, in.Rejected, "", "", "", "", "", "", "")
			continue
		}
		t.row(in.Name, in.Kind, in.Input, in.Rejected, in.Suppressed, in.IntraDuplicates, in.InterDuplicates, in.HouseMatches, in.Net, in.MultiBuyers, charge)
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nNames of the row's list that are also on the column's:")
	head := []string{""}
	for _, in := range r.Inputs {
		head = append(head, in.Name)
	}
	t = newTable(out, head...)
	for i, in := range r.Inputs {
		row := []any{in.Name}
		for _, n := range r.Overlap[i] {
			row = append(row, n)
		}
		t.row(row...)
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, in := range r.Inputs {
		for _, why := range slices.Sorted(maps.Keys(in.SuppressedBy)) {
			fmt.Fprintf(out, "Suppressed of %s: %d by %s\n", in.Name, in.SuppressedBy[why], why)
		}
		if in.ByLevel > 0 {
			fmt.Fprintf(out, "Of the duplicates of %s, %d are other persons of the %s\n", in.Name, in.ByLevel, run.Level)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(r.Multi)) {
		fmt.Fprintf(out, "Multi-buyers %dx: %d\n", n, r.Multi[n])
	}
	fmt.Fprintf(out, "House names that a rented list has too: %d\nPairs to review: %d\n", r.HouseFlagged, r.ReviewPairs)
	if run.State == mergepurge.Applied {
		if err := printApplied(run, out); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(out, "Nothing has changed yet. Make the list with: aldine merge-purge apply %d\n", run.ID)
	}
	_, err := fmt.Fprintf(out, "Net names: %d\n", r.Net)
	return err
}

func printApplied(run mergepurge.Run, out io.Writer) error {
	if run.Report != nil && run.Report.Skipped > 0 {
		fmt.Fprintf(out, "Left out, because they are no customers any more: %d\n", run.Report.Skipped)
	}
	_, err := fmt.Fprintf(out, "List %d, %s: mail it with in_list(%q)\n", run.ListID, run.Name, run.Name)
	return err
}
