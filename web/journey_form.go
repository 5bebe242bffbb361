package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"
	"github.com/labstack/echo/v4"

	"aldine/campaigns/content"
	"aldine/campaigns/journey"
	"aldine/internal/fault"
)

// stepRow is one step of the journey editor, as typed. Ways on are keys of other steps; "" is the step below and
// "end" the end of the journey.
type stepRow struct {
	ID   string // tells rows apart within the form
	Key  string
	Type string

	Template, Cost, Dedup, Window  string
	WaitBy, For, Until, Response   string // WaitBy: for, until or response
	Timeout, If, Next, Then, Else_ string
	Arms                           []armRow

	Errs      []string
	Templates []content.Template
}

type armRow struct{ Weight, Next string }

var stepPalette = []option{{"email", "E-mail"}, {"sms", "SMS"}, {"post", "Letter"}, {"calls", "Call"}, {"wait", "Wait"}, {"branch", "Branch"},
	{"split", "Split"}, {"goal", "Goal"}}

// Label names the kind of step; Icon is its sign; Sends tells whether it contacts the customer.
func (r stepRow) Label() string {
	for _, o := range stepPalette {
		if o.Value == r.Type {
			return o.Label
		}
	}
	return r.Type
}

// Icon is the sign of the step's kind.
func (r stepRow) Icon() string { return stepIcon(r.Type) }

// Sends tells whether the step contacts the customer.
func (r stepRow) Sends() bool { return content.CheckChannel(r.Type) == nil }

// HasHours tells whether the step's messages can keep hours of its own.
func (r stepRow) HasHours() bool { return r.Type == "email" || r.Type == "sms" }

// Fitting gives the templates of the step's medium.
func (r stepRow) Fitting() []content.Template {
	var out []content.Template
	for _, t := range r.Templates {
		if t.Channel == r.Type {
			out = append(out, t)
		}
	}
	return out
}

func stepIcon(kind string) string {
	switch kind {
	case "wait":
		return "clock"
	case "branch":
		return "git-branch"
	case "split":
		return "arrows-split"
	case "goal":
		return "target"
	case "end":
		return "flag-check"
	}
	return mediumIcon(kind)
}

// newStep makes a row with a key that the others do not have.
func newStep(kind string, taken []string) stepRow {
	has := map[string]bool{}
	for _, k := range taken {
		has[k] = true
	}
	r := stepRow{Type: kind, WaitBy: "for", For: "3d", Cost: "0", Dedup: "customer", Arms: []armRow{{Weight: "50"}, {Weight: "50"}}}
	if kind == "goal" {
		r.If = `bought()`
	}
	for i := 1; ; i++ {
		if r.Key = kind + strconv.Itoa(i); !has[r.Key] {
			r.ID = r.Key
			return r
		}
	}
}

// stepAdd answers with a fresh row for the editor.
func (p *Pages) stepAdd(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	kind := f.Get("add")
	known := false
	for _, o := range stepPalette {
		known = known || o.Value == kind
	}
	if !known {
		return fault.BadField("add", "There is no step %q", kind)
	}
	var taken []string
	for _, id := range f.values["step"] {
		taken = append(taken, id, f.Get("s."+id+".key"))
	}
	row := newStep(kind, taken)
	if row.Templates, err = p.Campaigns.Templates().List(ctx(c), content.Query{Channel: kind, Limit: 500}); err != nil {
		return err
	}
	return show(p, c, stepRowView, row)
}

var stepRowView = partView[stepRow]("step-row")

// stepRowsOf reads the rows of the editor in the order in which they stand.
func stepRowsOf(f form) []stepRow {
	var rows []stepRow
	for _, id := range f.values["step"] {
		if len(rows) == maxSteps {
			break
		}
		get := func(name string) string { return f.Text("s." + id + "." + name) }
		r := stepRow{ID: id, Key: get("key"), Type: get("type"), Template: get("template"), Cost: get("cost"), Dedup: get("dedup"), Window: get("window"),
			WaitBy: get("by"), For: get("for"), Until: get("until"), Response: get("response"), Timeout: get("timeout"), If: get("if"),
			Next: get("next"), Then: get("then"), Else_: get("else")}
		for i := 1; i <= maxArms; i++ {
			a := armRow{get("weight" + strconv.Itoa(i)), get("arm" + strconv.Itoa(i))}
			if a.Weight != "" {
				r.Arms = append(r.Arms, a)
			}
		}
		rows = append(rows, r)
	}
	return rows
}

const (
	maxSteps = 200
	maxArms  = 6
)

// journeyOf makes the definition from the rows: ways on that are left empty lead to the row below.
func journeyOf(rows []stepRow) (journey.Definition, []fault.Field) {
	d := journey.Definition{Steps: []journey.StepDef{}}
	var faults []fault.Field
	hasEnd := false
	for _, r := range rows {
		hasEnd = hasEnd || r.Key == "end"
	}
	for i, r := range rows {
		below := ""
		if i+1 < len(rows) {
			below = rows[i+1].Key
		}
		to := func(wish string) string {
			switch {
			case wish == "":
				return below
			case wish == "end" && !hasEnd:
				return ""
			}
			return wish
		}
		bad := func(field, format string) {
			faults = append(faults, fault.Field{Name: "journey.steps[" + strconv.Itoa(i) + "]." + field, Message: format})
		}
		s := journey.StepDef{Key: r.Key, Type: r.Type}
		switch {
		case r.Sends():
			s.Template, s.Dedup, s.Window, s.Next = r.Template, r.Dedup, r.Window, to(r.Next)
			if cost := strings.ReplaceAll(r.Cost, ",", ""); cost != "" {
				amount, err := decimal.Parse(cost)
				if err != nil {
					bad("unit_cost", "Write the cost per piece as a number such as 0.55")
				}
				s.UnitCost = &amount
			}
		case r.Type == "wait":
			s.Next = to(r.Next)
			switch r.WaitBy {
			case "until":
				at, err := parseMinute(r.Until)
				if err != nil {
					bad("until", "Give a day and time")
				}
				s.Until = &at
			case "response":
				s.UntilResponse, s.Timeout = r.Response, r.Timeout
			default:
				s.For = r.For
			}
		case r.Type == "branch":
			s.If, s.Then, s.Else = r.If, to(r.Then), to(orEnd(r.Else_))
		case r.Type == "split":
			for _, a := range r.Arms {
				weight, err := strconv.Atoi(a.Weight)
				if err != nil {
					bad("arms", "Weights are whole numbers")
				}
				s.Arms = append(s.Arms, journey.Arm{Weight: weight, Next: to(a.Next)})
			}
		case r.Type == "goal":
			s.If, s.Next = r.If, to(r.Next)
		}
		d.Steps = append(d.Steps, s)
	}
	if len(rows) > 0 {
		d.Start = rows[0].Key
	}
	return d, faults
}

// orEnd: a branch's "otherwise" left empty ends the journey.
func orEnd(wish string) string {
	if wish == "" {
		return "end"
	}
	return wish
}

// take finds the faults of the row with an index.
func (r *stepRow) take(faults []fault.Field, index int) {
	at := "journey.steps[" + strconv.Itoa(index) + "]"
	for _, f := range faults {
		rest, ok := strings.CutPrefix(f.Name, at)
		if !ok {
			continue
		}
		text := f.Message
		if field := strings.TrimPrefix(rest, "."); field != "" {
			text = strings.ReplaceAll(field, "_", " ") + ": " + text
		}
		if f.Column > 0 {
			text += " (column " + strconv.Itoa(f.Column) + ")"
		}
		r.Errs = append(r.Errs, text)
	}
}

// parseMinute reads what a datetime-local field sends, as UTC.
func parseMinute(s string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	_, err := time.Parse("2006-01-02", s)
	if err == nil {
		t, _ := time.Parse("2006-01-02", s)
		return t, nil
	}
	return time.Time{}, err
}
