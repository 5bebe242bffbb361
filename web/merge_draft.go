package web

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"aldine/customers"
	"aldine/customers/mergepurge"
	"aldine/internal/fault"
)

// mergeDraftPage is a run before its start: what takes part.
type mergeDraftPage struct {
	frame
	Run                mergepurge.Run
	Form               form
	House, Suppression []mergepurge.Input
	Rented             []rankedInput
	Lists              []customers.CustomerList // rented ones that are known
	Ready              bool
}

// rankedInput is a rented list with its place among the others; Alone: the list above is of a better rank.
type rankedInput struct {
	mergepurge.Input
	Rank  int
	Alone bool
}

var mergeDraftView = pageView[mergeDraftPage]("merge-draft")

func (p *Pages) showMergeDraft(c echo.Context, run mergepurge.Run, f form) error {
	page := mergeDraftPage{frame: p.frame(c, customersPlace, run.Name), Run: run, Form: f}
	for _, in := range run.Inputs {
		switch in.Kind {
		case mergepurge.House:
			page.House = append(page.House, in)
		case mergepurge.Rented:
			page.Rented = append(page.Rented, rankedInput{Input: in})
		default:
			page.Suppression = append(page.Suppression, in)
		}
	}
	slices.SortStableFunc(page.Rented, func(a, b rankedInput) int { return a.Priority - b.Priority })
	for i := range page.Rented {
		in := &page.Rented[i]
		in.Rank, in.Alone = 1, i == 0
		if i > 0 {
			above := page.Rented[i-1]
			in.Rank, in.Alone = above.Rank, in.Priority != above.Priority
			if in.Alone {
				in.Rank++
			}
		}
	}
	page.Ready = page.House != nil || page.Rented != nil
	lists, err := p.Customers.Lists(ctx(c))
	if err != nil {
		return err
	}
	for _, l := range lists {
		if l.Kind == "rented" {
			page.Lists = append(page.Lists, l)
		}
	}
	return showStatus(p, c, f.status(), mergeDraftView, page)
}

// mergeParam gives the run that the address names.
func (p *Pages) mergeParam(c echo.Context) (mergepurge.Run, error) {
	id, err := idParam(c)
	if err != nil {
		return mergepurge.Run{}, err
	}
	return p.MergePurge.Run(ctx(c), id)
}

// mergeInputParam gives the run and its input that the address names.
func (p *Pages) mergeInputParam(c echo.Context) (mergepurge.Run, mergepurge.Input, error) {
	run, err := p.mergeParam(c)
	if err != nil {
		return run, mergepurge.Input{}, err
	}
	no, _ := strconv.Atoi(c.Param("no"))
	for _, in := range run.Inputs {
		if in.No == no {
			return run, in, nil
		}
	}
	return run, mergepurge.Input{}, fault.New(fault.NotFound, "This run has no such list")
}

// mergeHouse lets the house file take part.
func (p *Pages) mergeHouse(c echo.Context) error {
	run, err := p.mergeParam(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	if _, err := p.MergePurge.AddInput(ctx(c), run.ID, mergepurge.NewInput{Kind: mergepurge.House, Expression: f.Text("expression")}); err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showMergeDraft(c, run, f)
	}
	return p.done(c, mergePath(run), "The house file takes part.")
}

func mergePath(run mergepurge.Run) string { return "/merge-runs/" + number64(run.ID) }

func (p *Pages) mergeRemoveInput(c echo.Context) error {
	run, in, err := p.mergeInputParam(c)
	if err != nil {
		return err
	}
	if err := p.MergePurge.RemoveInput(ctx(c), run.ID, in.No); err != nil {
		return err
	}
	return p.done(c, mergePath(run), in.Name+" is taken out of the run.")
}

// mergeRank moves a rented list up or down in the order of priority, or onto one level with the list above.
func (p *Pages) mergeRank(c echo.Context) error {
	run, in, err := p.mergeInputParam(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	for no, priority := range ranked(run.Inputs, in.No, f.Get("to")) {
		if _, err := p.MergePurge.SetInput(ctx(c), run.ID, no, nil, priority); err != nil {
			return err
		}
	}
	return c.Redirect(http.StatusSeeOther, mergePath(run)+"#"+f.Get("to")+"-"+strconv.Itoa(in.No))
}

// ranked gives the new priorities of the rented lists when one moves up or down, or joins the rank above. Lists of one
// priority stand on one rank; who moves out of a rank gets one alone.
func ranked(inputs []mergepurge.Input, no int, to string) map[int]int {
	var rented []mergepurge.Input
	for _, in := range inputs {
		if in.Kind == mergepurge.Rented {
			rented = append(rented, in)
		}
	}
	slices.SortStableFunc(rented, func(a, b mergepurge.Input) int { return a.Priority - b.Priority })
	var ranks [][]int
	at := -1
	for i, in := range rented {
		if i == 0 || in.Priority != rented[i-1].Priority {
			ranks = append(ranks, nil)
		}
		last := len(ranks) - 1
		ranks[last] = append(ranks[last], in.No)
		if in.No == no {
			at = last
		}
	}
	if at < 0 {
		return nil
	}
	alone := len(ranks[at]) == 1
	switch {
	case to == "level" && at > 0 && ranks[at][0] == no:
		ranks[at-1] = append(ranks[at-1], no)
		ranks[at] = without(ranks[at], no)
	case to == "up" && !alone:
		ranks[at] = without(ranks[at], no)
		ranks = slices.Insert(ranks, at, []int{no})
	case to == "up" && at > 0:
		ranks[at-1], ranks[at] = ranks[at], ranks[at-1]
	case to == "down" && !alone:
		ranks[at] = without(ranks[at], no)
		ranks = slices.Insert(ranks, at+1, []int{no})
	case to == "down" && at+1 < len(ranks):
		ranks[at], ranks[at+1] = ranks[at+1], ranks[at]
	}
	out, rank := map[int]int{}, 0
	for _, nos := range ranks {
		if len(nos) > 0 {
			rank++
		}
		for _, n := range nos {
			out[n] = rank
		}
	}
	return out
}

func without(nos []int, no int) []int {
	return slices.DeleteFunc(slices.Clone(nos), func(n int) bool { return n == no })
}

func (p *Pages) mergeDelete(c echo.Context) error {
	run, err := p.mergeParam(c)
	if err != nil {
		return err
	}
	if err := p.MergePurge.Delete(ctx(c), run.ID); err != nil {
		return err
	}
	return p.done(c, "/merge-runs", "The run "+run.Name+" is deleted.")
}

func (p *Pages) mergeStart(c echo.Context) error {
	run, err := p.mergeParam(c)
	if err != nil {
		return err
	}
	if _, err := p.MergePurge.Start(ctx(c), run.ID); err != nil {
		f := formWith()
		if err := f.refused(err); err != nil {
			return err
		}
		if run, err = p.MergePurge.Run(ctx(c), run.ID); err != nil {
			return err
		}
		if run.State == mergepurge.Draft {
			return p.showMergeDraft(c, run, f)
		}
	}
	return c.Redirect(http.StatusSeeOther, mergePath(run))
}
