package web

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/internal/fault"
	"aldine/segments"
)

// verdict is what the editor shows under the expression while a marketer types.
type verdict struct {
	Problems []problem
	Counted  bool
	Count    segments.Count
	Total    int64
	Share    *float64
	Everyone bool
	May      bool
}

// problem is one fault with the piece of the expression it means.
type problem struct {
	Message             string
	Line, Column        int
	Before, Mark, After string
	Segment, Path       string // the saved segment that has to be corrected, "" for the expression itself
}

var verdictView = partView[verdict]("verdict")

func (p *Pages) segmentCheck(c echo.Context) error {
	return answer(p, c, verdictView, func(f form) (verdict, error) {
		mode := segments.Exact
		if f.Get("mode") == "estimate" {
			mode = segments.Estimate
		}
		return p.verdict(ctx(c), f.Get("expression"), mode)
	}, func(page *segmentPage, v *verdict) { page.Verdict = v })
}

// answer gives what a button of the segment's page asks for: to a script as a part, else within the whole page.
func answer[T any](p *Pages, c echo.Context, part view[T], read func(form) (T, error), put func(*segmentPage, *T)) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	data, err := read(f)
	if err != nil {
		return err
	}
	if c.Request().Header.Get("HX-Request") != "" {
		return show(p, c, part, data)
	}
	var s segments.Segment
	if id, _ := strconv.ParseInt(f.Get("id"), 10, 64); id != 0 {
		if s, err = p.Segments.Get(ctx(c), segments.ID(id)); err != nil {
			return err
		}
	}
	return p.showSegment(c, s, f, func(page *segmentPage) { put(page, &data) })
}

// verdict counts an expression, or says what is wrong with it. A count that takes too long is a verdict, too.
func (p *Pages) verdict(ctx context.Context, expression string, mode segments.Mode) (v verdict, err error) {
	v.Everyone = strings.TrimSpace(expression) == ""
	var all segments.Count
	v.Count, all, err = p.Segments.Audience(ctx, expression, mode)
	if fe := (*fault.Error)(nil); errors.As(err, &fe) && (fe.Kind == fault.Invalid || fe.Kind == fault.Unavailable) {
		v.Problems = p.problems(ctx, expression, fe)
		return v, nil
	} else if err != nil {
		return v, err
	}
	v.Counted, v.Total = true, max(all.Count, v.Count.Count)
	if v.Total > 0 {
		share := float64(v.Count.Count) / float64(v.Total)
		v.Share = &share
	}
	return v, nil
}

// unasked says why nothing can be told about an expression; what is wrong with it stands beside it already.
func unasked(e *fault.Error) []problem {
	if e.Kind == fault.Invalid {
		return []problem{{Message: "Correct the expression first."}}
	}
	return []problem{{Message: e.Message}}
}

// problems puts the faults of an expression beside the pieces they mean, with the way to a saved segment that has them.
func (p *Pages) problems(ctx context.Context, expression string, e *fault.Error) []problem {
	if len(e.Fields) == 0 {
		return []problem{{Message: e.Message}}
	}
	var out []problem
	lines := strings.Split(expression, "\n")
	for _, f := range e.Fields {
		pr := problem{Message: f.Message, Line: f.Line, Column: f.Column}
		if f.Line > 0 && f.Line <= len(lines) {
			pr.Before, pr.Mark, pr.After = snippet(lines[f.Line-1], f.Column, f.Length)
		}
		if f.Segment != "" {
			if of, err := p.Segments.ByName(ctx, f.Segment); err == nil {
				pr.Segment, pr.Path = of.Name, segmentPath(of)
			}
		}
		out = append(out, pr)
	}
	return out
}

// snippet cuts a line into what stands before, in and after the part that is meant.
func snippet(line string, column, length int) (before, mark, after string) {
	r := []rune(strings.TrimRight(line, "\r"))
	at := min(max(column-1, 0), len(r))
	end := min(at+max(min(length, len(r)), 1), len(r))
	if mark = string(r[at:end]); mark == "" {
		mark = "␣"
	}
	return string(r[:at]), mark, string(r[end:])
}
