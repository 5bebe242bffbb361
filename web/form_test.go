package web

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"

	"aldine/campaigns/journey"
)

// TestJourneyThroughTheForm shows a journey in the editor, sends the form back, and wants the same journey.
func TestJourneyThroughTheForm(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"start":"m","steps":[{"key":"m","type":"email","template":"Mail","unit_cost":"0.01","dedup":"email","window":"mon-fri 09:00-20:00 local"}]}`,
		`{"start":"m","steps":[{"key":"m","type":"email","template":"Mail","unit_cost":"0","dedup":"email","next":"w"},{"key":"w","type":"wait","for":"3d","next":"b"},
			{"key":"b","type":"branch","if":"clicked(\"this\")","then":"c","else":"l"},{"key":"c","type":"calls","template":"S","unit_cost":"1.2","dedup":"phone"},
			{"key":"l","type":"post","template":"L","unit_cost":"0.55","dedup":"household"}]}`,
		`{"start":"s","steps":[{"key":"s","type":"split","arms":[{"weight":1,"next":"a"},{"weight":2,"next":"b"},{"weight":3}]},
			{"key":"a","type":"sms","template":"T","unit_cost":"0.05","dedup":"customer","next":"g"},{"key":"b","type":"wait","until":"2026-12-01T09:30:00Z","next":"g"},
			{"key":"g","type":"goal","if":"bought()","next":"r"},{"key":"r","type":"wait","until_response":"click","timeout":"2d"}]}`,
	} {
		var want journey.Definition
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		got, faults := journeyOf(stepRowsOf(formOfRows(stepRows(want))))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Cmp(b) == 0 })); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}

// formOfRows sends rows as the browser does.
func formOfRows(rows []stepRow) form {
	f := form{values: url.Values{}}
	for i, r := range rows {
		id := fmt.Sprint("r", i)
		f.values.Add("step", id)
		for name, value := range map[string]string{"key": r.Key, "type": r.Type, "template": r.Template, "cost": r.Cost, "dedup": r.Dedup, "window": r.Window, "by": r.WaitBy,
			"for": r.For, "until": r.Until, "response": r.Response, "timeout": r.Timeout, "if": r.If, "next": r.Next, "then": r.Then, "else": r.Else_} {
			f.values.Set("s."+id+"."+name, value)
		}
		for j, a := range r.Arms {
			f.values.Set(fmt.Sprintf("s.%s.weight%d", id, j+1), a.Weight)
			f.values.Set(fmt.Sprintf("s.%s.arm%d", id, j+1), a.Next)
		}
	}
	return f
}

func TestStepsThatOnlyEndNeedNoRow(t *testing.T) {
	t.Parallel()
	d := journey.Definition{Start: "b", Steps: []journey.StepDef{{Key: "fin", Type: "end"}, {Key: "a", Type: "email", Next: "fin"},
		{Key: "b", Type: "branch", If: "true", Then: "a", Else: "fin"}}}
	got, faults := journeyOf(stepRowsOf(formOfRows(stepRows(d))))
	if len(faults) > 0 || len(got.Steps) != 2 || got.Start != "b" || got.Steps[0].Then != "a" || got.Steps[0].Else != "" || got.Steps[1].Next != "" {
		t.Errorf("%+v %v", got, faults)
	}
}

func TestNumbersAndTimes(t *testing.T) {
	t.Parallel()
	half, minus := 0.5, -0.0213
	money1 := decimal.MustParse("-1234567.125")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for got, want := range map[string]string{
		number(0): "0", number(int64(1234567)): "1,234,567", number(-1000): "−1,000", number((*int64)(nil)): "–", number(decimal.MustParse("1234.50")): "1,234.50",
		plural(1, "row", "rows"): "1 row", plural(2000, "row", "rows"): "2,000 rows", byteSize(999): "999 B", byteSize(2_500_000): "2.5 MB",
		string(percent(&half)): `50.0&nbsp;<span class="unit">%</span>`, string(percent(minus)): `−2.13&nbsp;<span class="unit">%</span>`,
		string(money(&money1, "EUR")): `<span title="-1234567.125 EUR">−1,234,567.12&nbsp;<span class="unit">EUR</span></span>`,
		string(when(time.Time{})):     "–", sayWord("no_consent"): "no consent", mediumName("post"): "Letter", shortDay("2026-03-14"): "03-14",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, missing := range []string{string(money((*decimal.Decimal)(nil), "EUR")), string(percent((*float64)(nil)))} {
		if !strings.Contains(missing, "n/a") {
			t.Errorf("what is not available reads %q", missing)
		}
	}
	for d, want := range map[time.Duration]string{-10 * time.Second: "just now", -time.Minute: "1 minute ago", -3 * time.Hour: "3 hours ago", 72 * time.Hour: "in 3 days"} {
		if got := string(ago(now.Add(d), now)); !strings.Contains(got, ">"+want+"<") {
			t.Errorf("%v: %s", d, got)
		}
	}
}

func TestChartStaysInItsFrame(t *testing.T) {
	t.Parallel()
	var rows []chartRow
	for i := range 60 {
		rows = append(rows, chartRow{fmt.Sprint("2026-01-", i), []int64{int64(i * 37), int64(i)}})
	}
	c := newChart("x", []string{"a", "b"}, rows)
	if c.Top != 5000 || len(c.Bars) != 120 || len(c.Labels) > 10 {
		t.Errorf("top %d, %d bars, %d labels", c.Top, len(c.Bars), len(c.Labels))
	}
	for _, b := range c.Bars {
		if b.X < 0 || b.X+b.W > chartWidth || b.Y < 0 || b.H < 0 || b.Y+b.H > chartHeight {
			t.Fatalf("bar outside: %+v", b)
		}
	}
	if newChart("x", nil, nil) != nil {
		t.Error("an empty chart is drawn")
	}
}

func TestEveryIconIsInTheSprite(t *testing.T) {
	t.Parallel()
	sprite, err := staticFiles.ReadFile("static/vendor/icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, kind := range []string{"email", "sms", "post", "calls", "wait", "branch", "split", "goal", "end", ""} {
		names[stepIcon(kind)] = true
	}
	for _, pl := range places {
		names[pl.Icon] = true
	}
	for _, a := range actions {
		names[a.Icon] = true
	}
	err = eachTemplate(func(text string) {
		for _, rest := range strings.Split(text, `{{icon "`)[1:] {
			name, _, _ := strings.Cut(rest, `"`)
			names[name] = true
		}
		for _, rest := range strings.Split(text, `dict "icon" "`)[1:] {
			name, _, _ := strings.Cut(rest, `"`)
			names[name] = true
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range names {
		if !strings.Contains(string(sprite), `id="`+name+`"`) {
			t.Errorf("there is no icon %q", name)
		}
	}
}

func eachTemplate(do func(string)) error {
	for _, dir := range []string{"layout", "pages", "parts"} {
		entries, err := templateFiles.ReadDir("templates/" + dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			text, err := templateFiles.ReadFile("templates/" + dir + "/" + e.Name())
			if err != nil {
				return err
			}
			do(string(text))
		}
	}
	return nil
}

func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/", "/customers?q=1", "//evil", `/\evil`, "https://evil/", "/%2f%2fevil", "/a\r\nb", "javascript:1", "?x", "/.//evil"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, wish string) {
		got := localPath(wish)
		u, err := url.Parse(got)
		if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\r\n\t\\") {
			t.Errorf("%q leads to %q", wish, got)
		}
	})
}

func FuzzSnippet(f *testing.F) {
	f.Add("orders_count >= x", 14, 2)
	f.Add("", 0, 0)
	f.Fuzz(func(t *testing.T, line string, column, length int) {
		before, mark, after := snippet(line, column, length)
		if mark == "" {
			t.Error("nothing is marked")
		}
		want := string([]rune(strings.TrimRight(line, "\r")))
		if got := before + strings.TrimSuffix(mark, "␣") + after; got != want && before+mark+after != want {
			t.Errorf("%q became %q", want, got)
		}
	})
}
