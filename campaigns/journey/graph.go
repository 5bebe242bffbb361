package journey

import (
	"slices"
	"strconv"

	"github.com/govalues/decimal"
)

// sort gives the indexes of the steps that can be reached, each before all that it leads to. circle are the steps that
// lead back to themselves, if any.
func (d Definition) sort() (order, circle []int) {
	index := map[string]int{}
	for i, s := range d.Steps {
		index[s.Key] = i
	}
	const (
		fresh = iota
		open
		done
	)
	state := make([]int, len(d.Steps))
	var visit func(i int)
	visit = func(i int) {
		state[i] = open
		for _, e := range d.Steps[i].exits() {
			j, ok := index[e.to]
			switch {
			case !ok:
			case state[j] == open:
				circle = append(circle, j)
			case state[j] == fresh:
				visit(j)
			}
		}
		state[i] = done
		order = append(order, i)
	}
	if i, ok := index[d.Start]; ok {
		visit(i)
	}
	slices.Reverse(order)
	return order, circle
}

// Freeze makes the steps of a checked journey in topological order, the start first. resolve gives the template of a
// send step; code replaces "this" in conditions.
func (d Definition) Freeze(code string, resolve func(i int) (templateID int64, version int)) []Step {
	order, _ := d.sort()
	steps := make([]Step, 0, len(order))
	for position, i := range order {
		s := d.Steps[i]
		step := Step{Key: s.Key, Position: position, Kind: s.Kind(), Dedup: "customer", UnitCost: decimal.Zero}
		if step.Kind == Send {
			step.Channel, step.Dedup = s.Type, s.Dedup
			step.TemplateID, step.TemplateVersion = resolve(i)
			s.Template = strconv.FormatInt(step.TemplateID, 10)
			if s.UnitCost != nil {
				step.UnitCost = *s.UnitCost
			}
		}
		s.If = OwnCampaign(s.If, code)
		step.Config = s
		steps = append(steps, step)
	}
	return steps
}

// Volume is how many customers can come to a send step.
type Volume struct {
	Step      int // index
	Customers int64
}

// Volumes gives the most that can come to each send step, in topological order, when customers enter: a split divides
// them by its weights, a branch may send all of them either way, and nobody leaves early.
func (d Definition) Volumes(customers int64) []Volume {
	index := map[string]int{}
	for i, s := range d.Steps {
		index[s.Key] = i
	}
	at := make([]int64, len(d.Steps))
	order, _ := d.sort()
	if len(order) > 0 {
		at[order[0]] = customers
	}
	var out []Volume
	for _, i := range order {
		s := d.Steps[i]
		at[i] = min(at[i], customers)
		if s.Kind() == Send {
			out = append(out, Volume{i, at[i]})
		}
		total := 0
		for _, a := range s.Arms {
			total += a.Weight
		}
		for n, e := range s.exits() {
			j, ok := index[e.to]
			switch {
			case !ok:
			case s.Kind() == Split:
				at[j] += (at[i]*int64(s.Arms[n].Weight) + int64(total) - 1) / int64(total)
			default:
				at[j] += at[i]
			}
		}
	}
	return out
}
