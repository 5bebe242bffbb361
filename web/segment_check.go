package web

import (
	"errors"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/customers"
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
}

var (
	verdictView = partView[verdict]("verdict")
	sampleView  = partView[sample]("sample")
)

func (p *Pages) segmentCheck(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	expression := f.Get("expression")
	v := verdict{Everyone: strings.TrimSpace(expression) == ""}
	mode := segments.Estimate
	if f.Get("mode") == "exact" {
		mode = segments.Exact
	}
	v.Count, err = p.Segments.Count(ctx(c), expression, mode)
	if fe := (*fault.Error)(nil); errors.As(err, &fe) && fe.Kind == fault.Invalid {
		v.Problems = problems(expression, fe)
		return show(p, c, verdictView, v)
	} else if err != nil {
		return err
	}
	all, err := p.Segments.Count(ctx(c), "", segments.Estimate)
	if err != nil {
		return err
	}
	v.Counted, v.Total = true, max(all.Count, v.Count.Count)
	if v.Total > 0 {
		share := float64(v.Count.Count) / float64(v.Total)
		v.Share = &share
	}
	return show(p, c, verdictView, v)
}

func problems(expression string, e *fault.Error) []problem {
	if len(e.Fields) == 0 {
		return []problem{{Message: e.Message}}
	}
	var out []problem
	lines := strings.Split(expression, "\n")
	for _, f := range e.Fields {
		pr := problem{Message: f.Message, Line: f.Line, Column: f.Column}
		if f.Line > 0 && f.Line <= len(lines) {
			pr.Before, pr.Mark, pr.After = snippet(lines[f.Line-1], f.Column)
		}
		out = append(out, pr)
	}
	return out
}

// snippet cuts a line into what stands before, at and after the column: the word there, or one character.
func snippet(line string, column int) (before, mark, after string) {
	r := []rune(strings.TrimRight(line, "\r"))
	at := min(max(column-1, 0), len(r))
	end := at
	word := func(c rune) bool {
		return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c > 127
	}
	for end < len(r) && word(r[end]) {
		end++
	}
	if end == at && end < len(r) {
		end++
	}
	mark = string(r[at:end])
	if mark == "" {
		mark = "␣"
	}
	return string(r[:at]), mark, string(r[end:])
}

type sample struct {
	Problems  []problem
	Customers []customers.Customer
}

func (p *Pages) segmentSample(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	ids, err := p.Segments.Sample(ctx(c), f.Get("expression"), 10)
	if fe := (*fault.Error)(nil); errors.As(err, &fe) && fe.Kind == fault.Invalid {
		return show(p, c, sampleView, sample{Problems: problems(f.Get("expression"), fe)})
	} else if err != nil {
		return err
	}
	found, err := p.Customers.Profiles(ctx(c), p.Pool, ids)
	if err != nil {
		return err
	}
	var s sample
	for _, id := range ids {
		if customer, ok := found[id]; ok {
			s.Customers = append(s.Customers, customer)
		}
	}
	return show(p, c, sampleView, s)
}
