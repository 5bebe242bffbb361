package web

import (
	"strconv"

	"aldine/campaigns/journey"
)

// stepRows shows a definition in the editor, the start first. Steps that only end the journey need no row.
func stepRows(d journey.Definition) []stepRow {
	var steps []journey.StepDef
	ends := map[string]bool{"": true}
	for _, s := range d.Steps {
		switch {
		case s.Type == journey.End:
			ends[s.Key] = true
		case s.Key == d.Start:
			steps = append([]journey.StepDef{s}, steps...)
		default:
			steps = append(steps, s)
		}
	}
	var rows []stepRow
	for i, s := range steps {
		below := ""
		if i+1 < len(steps) {
			below = steps[i+1].Key
		}
		from := func(next string) string {
			switch {
			case ends[next] && below == "", next == below:
				return ""
			case ends[next]:
				return "end"
			}
			return next
		}
		r := stepRow{ID: s.Key, Key: s.Key, Type: s.Type, Template: s.Template, Dedup: s.Dedup, Window: s.Window, For: s.For, Response: s.UntilResponse,
			Timeout: s.Timeout, If: s.If, Next: from(s.Next), Then: from(s.Then), Else_: s.Else, WaitBy: "for"}
		if ends[s.Else] {
			r.Else_ = "end"
		}
		if s.UnitCost != nil {
			r.Cost = s.UnitCost.Trim(0).String()
		}
		if s.Until != nil {
			r.WaitBy, r.Until = "until", stamp(*s.Until)
		} else if s.UntilResponse != "" {
			r.WaitBy = "response"
		}
		for _, a := range s.Arms {
			r.Arms = append(r.Arms, armRow{strconv.Itoa(a.Weight), from(a.Next)})
		}
		rows = append(rows, r)
	}
	return rows
}
