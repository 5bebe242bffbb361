package journey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"aldine/internal/fault"
)

// Limits of a journey.
const (
	maxSteps = 200
	maxWait  = 3 * 366 * 24 * time.Hour
)

var keyPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,60}$`)

// aliases are other words for the types.
var aliases = map[string]string{"letter": "post", "mail": "post", "call": "calls", "e-mail": "email", "text": "sms"}

// ResponseKinds are the responses that a wait can wait for; "any" stands for each of them.
var ResponseKinds = []string{"any", "open", "click", "reply", "call", "visit", "coupon", "order", "survey"}

// allowed are the fields of each type besides key and type.
var allowed = map[string][]string{
	Send: {"template", "unit_cost", "dedup", "window", "next"}, Wait: {"for", "until", "until_response", "timeout", "next"},
	Branch: {"if", "then", "else"}, Split: {"arms"}, Goal: {"if", "next"}, End: {},
}

func field(i int, name string) string    { return fmt.Sprintf("journey.steps[%d].%s", i, name) }
func armField(i int, name string) string { return fmt.Sprintf("arms[%d].%s", i, name) }

// parser collects the faults of a journey, so that all are seen at once.
type parser struct{ faults []fault.Field }

func (p *parser) fail(name, format string, args ...any) {
	p.faults = append(p.faults, fault.Field{Name: name, Message: fmt.Sprintf(format, args...)})
}

// Parse reads and checks a journey. An Invalid error has a field for each fault, named like journey.steps[2].next.
// Templates and expressions are checked by whoever knows them, see Definition.Sends and Definition.Conditions.
func Parse(raw json.RawMessage) (Definition, error) {
	var p parser
	d := p.decode(raw)
	if len(p.faults) == 0 {
		p.check(&d)
	}
	if len(p.faults) > 0 {
		return Definition{}, fault.Bad("The journey has mistakes", p.faults...)
	}
	return d, nil
}

func (p *parser) decode(raw json.RawMessage) (d Definition) {
	if len(bytes.TrimSpace(raw)) == 0 || string(bytes.TrimSpace(raw)) == "null" {
		p.fail("journey", "The campaign needs a journey: at least one step")
		return d
	}
	if bytes.Contains(raw, []byte(`\u0000`)) {
		p.fail("journey", "The journey holds a character that can't be stored (\\u0000)")
		return d
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(raw, &top); err != nil {
		p.fail("journey", "The journey is not a JSON object: %s", jsonProblem(err))
		return d
	}
	for _, name := range slices.Sorted(maps.Keys(top)) {
		if name != "start" && name != "steps" {
			p.fail("journey."+cut(name), "A journey has start and steps, nothing else")
		}
	}
	p.value("journey.start", top["start"], &d.Start)
	var steps []map[string]json.RawMessage
	if err := json.Unmarshal(top["steps"], &steps); top["steps"] != nil && err != nil {
		p.fail("journey.steps", "The steps must be a list of objects")
		return d
	}
	if len(steps) == 0 || len(steps) > maxSteps {
		p.fail("journey.steps", "A journey has 1 to %d steps, this one has %d", maxSteps, len(steps))
		return d
	}
	for i, fields := range steps {
		d.Steps = append(d.Steps, p.step(i, fields))
	}
	return d
}

func (p *parser) step(i int, fields map[string]json.RawMessage) (s StepDef) {
	p.value(field(i, "type"), fields["type"], &s.Type)
	s.Type = strings.ToLower(strings.TrimSpace(s.Type))
	if a, ok := aliases[s.Type]; ok {
		s.Type = a
	}
	known := allowed[s.Kind()]
	switch {
	case s.Type == "":
		p.fail(field(i, "type"), "Say what the step does: email, sms, post, calls, wait, branch, split, goal or end")
	case s.Kind() == "":
		p.fail(field(i, "type"), "%q is not a type of step: use email, sms, post, calls, wait, branch, split, goal or end", cut(s.Type))
	}
	targets := map[string]any{
		"key": &s.Key, "type": &s.Type, "template": &s.Template, "unit_cost": &s.UnitCost, "dedup": &s.Dedup, "window": &s.Window, "for": &s.For,
		"until": &s.Until, "until_response": &s.UntilResponse, "timeout": &s.Timeout, "if": &s.If, "then": &s.Then, "else": &s.Else,
		"arms": &s.Arms, "next": &s.Next,
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		target, ok := targets[name]
		switch {
		case name == "type":
		case !ok:
			p.fail(field(i, cut(name)), "Steps have no field of this name")
		case known != nil && name != "key" && !slices.Contains(known, name):
			p.fail(field(i, name), "A step of type %s has no %s", s.Type, name)
		case name == "template" && len(fields[name]) > 0 && fields[name][0] != '"':
			var id int64 // an id may be written as a number
			p.value(field(i, name), fields[name], &id)
			if id > 0 {
				s.Template = strconv.FormatInt(id, 10)
			}
		default:
			p.value(field(i, name), fields[name], target)
		}
	}
	return s
}

func (p *parser) value(name string, raw json.RawMessage, target any) {
	if raw == nil {
		return
	}
	if err := json.Unmarshal(raw, target); err != nil {
		p.fail(name, "%s", jsonProblem(err))
	}
}

func jsonProblem(err error) string {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var moment *time.ParseError
	switch {
	case errors.As(err, &kind):
		return fmt.Sprintf("a %s where %s is expected", kind.Value, article(kind.Type.String()))
	case errors.As(err, &syntax):
		return fmt.Sprintf("not valid JSON at character %d", syntax.Offset)
	case errors.As(err, &moment):
		return `not a time: write it like "2026-12-01T09:00:00Z"`
	}
	return "the value can't be read"
}

func article(goType string) string {
	switch {
	case strings.HasPrefix(goType, "int"):
		return "a whole number"
	case goType == "string":
		return "a text"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	}
	return "an object"
}

func (p *parser) check(d *Definition) {
	index := map[string]int{}
	for i := range d.Steps {
		s := &d.Steps[i]
		if !keyPattern.MatchString(s.Key) {
			p.fail(field(i, "key"), "A step needs a key of 1 to 60 letters, digits, - and _")
		} else if first, taken := index[s.Key]; taken {
			p.fail(field(i, "key"), "%q is the key of step %d already", s.Key, first)
		} else {
			index[s.Key] = i
		}
		p.details(i, s)
	}
	if d.Start == "" {
		d.Start = d.Steps[0].Key
	}
	if _, ok := index[d.Start]; !ok {
		p.fail("journey.start", "There is no step %q", cut(d.Start))
	}
	for i, s := range d.Steps {
		for _, e := range s.exits() {
			if _, ok := index[e.to]; e.to != "" && e.to != "end" && !ok { // "end" needs no step of its own
				p.fail(field(i, e.field), "There is no step %q", cut(e.to))
			}
		}
	}
	if len(p.faults) > 0 {
		return // the graph can't be followed
	}
	order, circle := d.sort()
	for _, i := range circle {
		p.fail(field(i, "key"), "Step %q leads back to itself: a journey has no circles", d.Steps[i].Key)
	}
	if len(circle) > 0 {
		return
	}
	for i, s := range d.Steps {
		if !slices.Contains(order, i) {
			p.fail(field(i, "key"), "No step leads to %q", s.Key)
		}
	}
}

// details checks the fields that the step's type needs.
func (p *parser) details(i int, s *StepDef) {
	switch s.Kind() {
	case Send:
		if s.Template = strings.TrimSpace(s.Template); s.Template == "" {
			p.fail(field(i, "template"), "Name the template")
		}
		if s.Dedup == "" {
			s.Dedup = "person"
		}
		if !slices.Contains(Levels, s.Dedup) {
			p.fail(field(i, "dedup"), "%q is not a level: use person, customer, household, address, company, email or phone", cut(s.Dedup))
		}
		p.window(i, s)
		if c := s.UnitCost; c != nil && (c.IsNeg() || c.Trim(0).Scale() > 4 || c.Prec() > 15) {
			p.fail(field(i, "unit_cost"), "The cost of one piece is 0 or more, with at most 4 decimals")
		}
	case Wait:
		p.wait(i, s)
	case Branch, Goal:
		if strings.TrimSpace(s.If) == "" {
			p.fail(field(i, "if"), "Write the condition")
		}
	case Split:
		if len(s.Arms) < 2 || len(s.Arms) > 20 {
			p.fail(field(i, "arms"), "A split has 2 to 20 arms")
		}
		for j, a := range s.Arms {
			if a.Weight < 1 || a.Weight > 10000 {
				p.fail(field(i, armField(j, "weight")), "A weight is 1 to 10000")
			}
		}
	}
}

func (p *parser) wait(i int, s *StepDef) {
	ways := 0
	for _, given := range []bool{s.For != "", s.Until != nil, s.UntilResponse != ""} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		p.fail(field(i, "for"), "A wait has one of for, until and until_response")
		return
	}
	if s.For != "" {
		if _, err := ParseDuration(s.For); err != nil {
			p.fail(field(i, "for"), "%s", err)
		}
	}
	if s.UntilResponse == "" {
		if s.Timeout != "" {
			p.fail(field(i, "timeout"), "Only a wait with until_response has a timeout")
		}
		return
	}
	if !slices.Contains(ResponseKinds, s.UntilResponse) {
		p.fail(field(i, "until_response"), "%q is not a response: use %s", cut(s.UntilResponse), strings.Join(ResponseKinds, ", "))
	}
	if s.Timeout == "" {
		p.fail(field(i, "timeout"), "Say how long to wait at most")
	} else if _, err := ParseDuration(s.Timeout); err != nil {
		p.fail(field(i, "timeout"), "%s", err)
	}
}

var durationPattern = regexp.MustCompile(`^(?:(\d{1,4})w)?(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,8})s)?$`)

// ParseDuration reads a duration such as "3d", "72h", "2w" or "1d12h": weeks, days, hours, minutes, seconds. It is more
// than nothing and at most three years.
func ParseDuration(s string) (time.Duration, error) {
	m := durationPattern.FindStringSubmatch(strings.ReplaceAll(strings.ToLower(s), " ", ""))
	if m == nil || s == "" {
		return 0, fmt.Errorf(`%q is not a duration: write it like "3d", "72h" or "2w"`, cut(s))
	}
	var d time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi("0" + m[i+1])
		d += time.Duration(n) * unit
	}
	if d <= 0 || d > maxWait {
		return 0, fmt.Errorf("a wait is more than nothing and at most 3 years, not %q", cut(s))
	}
	return d, nil
}

func cut(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
