package journey

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"aldine/internal/fault"
)

const whole = `{"start":"m1","steps":[
	{"key":"m1","type":"e-mail","template":"Spring","unit_cost":"0.01","dedup":"household","next":"w1"},
	{"key":"w1","type":"wait","until_response":"click","timeout":"3d","next":"b1"},
	{"key":"b1","type":"branch","if":"clicked(\"this\")","then":"g","else":"s1"},
	{"key":"s1","type":"split","arms":[{"weight":50,"next":"l"},{"weight":50,"next":"c"}]},
	{"key":"l","type":"letter","template":7,"unit_cost":0.72,"next":"w2"},
	{"key":"c","type":"call","template":"Script","next":"w2"},
	{"key":"w2","type":"wait","for":"1d12h","next":"g"},
	{"key":"g","type":"goal","if":"orders_count > 0","next":"end"},
	{"key":"end","type":"end"}]}`

func TestParseNormalises(t *testing.T) {
	t.Parallel()
	d, err := Parse(json.RawMessage(whole))
	if err != nil {
		t.Fatal(err)
	}
	if got := []string{d.Steps[0].Type, d.Steps[4].Type, d.Steps[4].Template, d.Steps[5].Type, d.Steps[5].Dedup}; strings.Join(got, " ") != "email post 7 calls person" {
		t.Errorf("got %q", got)
	}
	if s := d.Steps[4].UnitCost.String(); s != "0.72" {
		t.Errorf("unit cost %s", s)
	}
	again, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(again); err != nil {
		t.Errorf("what was written can't be read: %v\n%s", err, again)
	}
	steps := d.Freeze("spring", func(int) (int64, int) { return 3, 2 })
	seen := map[string]bool{}
	for i, s := range steps {
		if s.Position != i {
			t.Errorf("step %s has position %d, want %d", s.Key, s.Position, i)
		}
		for _, e := range s.Config.exits() {
			if seen[e.to] {
				t.Errorf("%s comes after %s, to which it leads", s.Key, e.to)
			}
		}
		seen[s.Key] = true
	}
	i := slices.IndexFunc(steps, func(s Step) bool { return s.Key == "b1" })
	if got := steps[i].Config.If; got != `clicked("spring")` {
		t.Errorf("condition %s", got)
	}
}

func TestParseNamesEveryFault(t *testing.T) {
	t.Parallel()
	steps := func(s string) string { return `{"steps":[` + s + `]}` }
	for name, c := range map[string]struct{ raw, field, message string }{
		"nothing":             {``, "journey", "needs a journey"},
		"null":                {`null`, "journey", "needs a journey"},
		"no object":           {`[1]`, "journey", "not a JSON object"},
		"broken":              {`{"steps":[`, "journey", "not valid JSON"},
		"no steps":            {`{}`, "journey.steps", "1 to 200 steps"},
		"steps no list":       {`{"steps":{"a":1}}`, "journey.steps", "a list"},
		"extra":               {`{"steps":[{"key":"a","type":"end"}],"stepps":1}`, "journey.stepps", "nothing else"},
		"no type":             {steps(`{"key":"a"}`), "journey.steps[0].type", "Say what"},
		"unknown type":        {steps(`{"key":"a","type":"fax"}`), "journey.steps[0].type", `"fax"`},
		"no key":              {steps(`{"type":"end"}`), "journey.steps[0].key", "needs a key"},
		"odd key":             {steps(`{"key":"a b","type":"end"}`), "journey.steps[0].key", "needs a key"},
		"same key":            {steps(`{"key":"a","type":"wait","for":"1d","next":"a"},{"key":"a","type":"end"}`), "journey.steps[1].key", "step 0 already"},
		"unknown field":       {steps(`{"key":"a","type":"end","colour":"red"}`), "journey.steps[0].colour", "no field"},
		"foreign field":       {steps(`{"key":"a","type":"end","next":"a"}`), "journey.steps[0].next", "has no next"},
		"unknown next":        {steps(`{"key":"a","type":"wait","for":"1d","next":"b"}`), "journey.steps[0].next", `"b"`},
		"unknown then":        {steps(`{"key":"a","type":"branch","if":"true","then":"b"}`), "journey.steps[0].then", `"b"`},
		"unknown arm":         {steps(`{"key":"a","type":"split","arms":[{"weight":1},{"weight":1,"next":"b"}]}`), "journey.steps[0].arms[1].next", `"b"`},
		"unknown start":       {`{"start":"z","steps":[{"key":"a","type":"end"}]}`, "journey.start", `"z"`},
		"circle":              {steps(`{"key":"a","type":"wait","for":"1d","next":"b"},{"key":"b","type":"wait","for":"1d","next":"a"}`), "journey.steps[0].key", "no circles"},
		"itself":              {steps(`{"key":"a","type":"wait","for":"1d","next":"a"}`), "journey.steps[0].key", "no circles"},
		"unreachable":         {steps(`{"key":"a","type":"end"},{"key":"b","type":"end"}`), "journey.steps[1].key", "No step leads"},
		"no template":         {steps(`{"key":"a","type":"sms"}`), "journey.steps[0].template", "Name the template"},
		"negative cost":       {steps(`{"key":"a","type":"sms","template":"t","unit_cost":-1}`), "journey.steps[0].unit_cost", "0 or more"},
		"tiny cost":           {steps(`{"key":"a","type":"sms","template":"t","unit_cost":"0.00001"}`), "journey.steps[0].unit_cost", "4 decimals"},
		"cost in words":       {steps(`{"key":"a","type":"sms","template":"t","unit_cost":"cheap"}`), "journey.steps[0].unit_cost", "can't be read"},
		"level":               {steps(`{"key":"a","type":"sms","template":"t","dedup":"street"}`), "journey.steps[0].dedup", `"street"`},
		"no wait":             {steps(`{"key":"a","type":"wait"}`), "journey.steps[0].for", "one of"},
		"two waits":           {steps(`{"key":"a","type":"wait","for":"1d","until_response":"click"}`), "journey.steps[0].for", "one of"},
		"odd duration":        {steps(`{"key":"a","type":"wait","for":"soon"}`), "journey.steps[0].for", `"soon"`},
		"no duration":         {steps(`{"key":"a","type":"wait","for":"0d"}`), "journey.steps[0].for", "more than nothing"},
		"endless":             {steps(`{"key":"a","type":"wait","for":"9999w"}`), "journey.steps[0].for", "3 years"},
		"odd date":            {steps(`{"key":"a","type":"wait","until":"tomorrow"}`), "journey.steps[0].until", "not a time"},
		"no timeout":          {steps(`{"key":"a","type":"wait","until_response":"click"}`), "journey.steps[0].timeout", "at most"},
		"lonely timeout":      {steps(`{"key":"a","type":"wait","for":"1d","timeout":"1d"}`), "journey.steps[0].timeout", "until_response"},
		"odd response":        {steps(`{"key":"a","type":"wait","until_response":"smile","timeout":"1d"}`), "journey.steps[0].until_response", `"smile"`},
		"no condition":        {steps(`{"key":"a","type":"goal","if":" "}`), "journey.steps[0].if", "Write the condition"},
		"one arm":             {steps(`{"key":"a","type":"split","arms":[{"weight":1}]}`), "journey.steps[0].arms", "2 to 20"},
		"no weight":           {steps(`{"key":"a","type":"split","arms":[{"weight":1},{"weight":0}]}`), "journey.steps[0].arms[1].weight", "1 to 10000"},
		"weight in words":     {steps(`{"key":"a","type":"split","arms":[{"weight":"x"},{"weight":1}]}`), "journey.steps[0].arms", "whole number"},
		"number for a text":   {steps(`{"key":1,"type":"end"}`), "journey.steps[0].key", "text is expected"},
		"a NUL in a template": {steps(`{"key":"a","type":"sms","template":"x\u0000"}`), "journey", "can't be stored"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(json.RawMessage(c.raw))
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid {
				t.Fatalf("want an Invalid error, got %v", err)
			}
			for _, field := range f.Fields {
				if field.Name == c.field && strings.Contains(field.Message, c.message) {
					return
				}
			}
			t.Fatalf("want %s with %q, got %v", c.field, c.message, err)
		})
	}
}

func TestParseReportsAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Parse(json.RawMessage(`{"start":"x","steps":[{"key":"a","type":"sms"},{"key":"b","type":"wait","for":"x","next":"y"}]}`))
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Fields) != 4 {
		t.Fatalf("want 4 fields, got %v", err)
	}
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{"72h": 72 * time.Hour, "3d": 72 * time.Hour, "2w": 14 * 24 * time.Hour, "1d12h": 36 * time.Hour, "90m": 90 * time.Minute, "1 D": 24 * time.Hour, "30s": 30 * time.Second} {
		if got, err := ParseDuration(s); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "3", "-1d", "1.5d", "1h1d", "99999999999999999d", "d"} {
		if d, err := ParseDuration(s); err == nil {
			t.Errorf("%q was read as %v", s, d)
		}
	}
}

func TestOwnCampaign(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`clicked("this")`: `clicked("spring")`,
		`clicked( 'this' , "3d") and not bought("this")`: `clicked( "spring" , "3d") and not bought("this")`,
		`responded("order", "this")`:                     `responded("order", "spring")`,
		`city == "this" or clicked("that")`:              `city == "this" or clicked("that")`,
		`city == "clicked(\"this\")"`:                    `city == "clicked(\"this\")"`,
		`/* clicked("this") */ true`:                     `/* clicked("this") */ true`,
		`clicked("this`:                                  `clicked("this`,
		"clicked(`this`)":                                `clicked("spring")`,
		`)(clicked(("this"))`:                            `)(clicked(("this"))`,
	} {
		if got := OwnCampaign(in, "spring"); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestVolumes(t *testing.T) {
	t.Parallel()
	d, err := Parse(json.RawMessage(whole))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, v := range d.Volumes(1001) {
		got[d.Steps[v.Step].Key] = v.Customers
	}
	if got["m1"] != 1001 || got["l"] != 501 || got["c"] != 501 {
		t.Errorf("volumes %v", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add(`{"steps":[{"key":"a","type":"wait","until":"2026-12-01T09:00:00Z"}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Parse(json.RawMessage(s))
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		if n := len(d.Freeze("x", func(int) (int64, int) { return 1, 1 })); n != len(d.Steps) {
			t.Fatalf("%d steps frozen of %d", n, len(d.Steps))
		}
	})
}

func TestInlineSegments(t *testing.T) {
	t.Parallel()
	saved := map[string]string{"vip": "rfm > 400 // best", "all": " ", "buyers \"x\"": `in_segment('vip') or orders_count > 0`, "ring": `in_segment("ring")`}
	lookup := func(name string) (string, bool) { s, ok := saved[name]; return s, ok }
	for in, want := range map[string]string{
		`in_segment("vip") and true`:              "(rfm > 400 // best\n) and true",
		`in_segment( "buyers \"x\"" )`:            "((rfm > 400 // best\n) or orders_count > 0\n)",
		`not in_segment("all")`:                   "not true",
		`city == "in_segment(\"vip\")"`:           `city == "in_segment(\"vip\")"`,
		`true // in_segment("vip")`:               `true // in_segment("vip")`,
		`clicked("x") or count(orders, true) > 1`: `clicked("x") or count(orders, true) > 1`,
	} {
		if got, err := InlineSegments(in, lookup); err != nil || got != want {
			t.Errorf("%s\n got %q, %v\nwant %q", in, got, err, want)
		}
	}
	for _, in := range []string{`in_segment("none")`, `in_segment("ring")`} {
		if got, err := InlineSegments(in, lookup); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
}
