package web

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"
)

// functions are what templates may call. Numbers and times have one look everywhere.
var functions = template.FuncMap{
	"icon": icon, "asset": asset, "mark": mark,
	"num": number, "money": money, "points": points, "round": round, "percent": percent, "bytes": byteSize, "bytes64": func(n int) string { return byteSize(int64(n)) }, "plural": plural,
	"when": when, "day": day, "ago": ago, "stamp": stamp,
	"medium": mediumName, "mediumIcon": mediumIcon, "state": stateBadge, "say": sayWord,
	"dict": dict, "who": who, "text": text, "join": strings.Join, "lower": strings.ToLower, "list": func(v ...any) []any { return v },
	"add": func(a, b int) int { return a + b }, "add64": func(a, b int64) int64 { return a + b }, "deref": deref,
	"levelName": levelName, "allocationWords": allocationWords, "mappedColumns": mappedColumns, "previewVerdict": previewVerdict,
}

// number groups the digits of a whole number by thousands.
func number(v any) string {
	var n int64
	switch v := v.(type) {
	case int:
		n = int64(v)
	case int32:
		n = int64(v)
	case int64:
		n = v
	case *int64:
		if v == nil {
			return "–"
		}
		n = *v
	case decimal.Decimal:
		return group(v.String())
	case float64:
		return group(strconv.FormatFloat(v, 'f', -1, 64))
	default:
		return fmt.Sprint(v)
	}
	return group(strconv.FormatInt(n, 10))
}

func group(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	whole, fraction, hasFraction := strings.Cut(s, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(",")
		}
		b.WriteRune(r)
	}
	if hasFraction {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// money shows an amount with two places and its currency; the exact amount is in the title. A nil amount is shown as
// not available.
func money(v any, currency any) template.HTML {
	d, ok := asDecimal(v)
	if !ok {
		return `<span class="unit" title="not available">n/a</span>`
	}
	code := strings.TrimSpace(fmt.Sprint(deref(currency)))
	shown := d.Round(2).Pad(2)
	if !d.IsZero() && d.CmpAbs(decimal.One) < 0 { // the cost of one e-mail
		shown = d.Round(4).Trim(2).Pad(2)
	}
	out := `<span title="` + template.HTMLEscapeString(d.String()+" "+code) + `">` + group(shown.String())
	if code != "" && code != "<nil>" {
		out += `&nbsp;<span class="unit">` + template.HTMLEscapeString(code) + `</span>`
	}
	return template.HTML(out + `</span>`)
}

func asDecimal(v any) (decimal.Decimal, bool) {
	switch v := v.(type) {
	case decimal.Decimal:
		return v, true
	case *decimal.Decimal:
		if v != nil {
			return *v, true
		}
	case decimal.NullDecimal:
		return v.Decimal, v.Valid
	}
	return decimal.Decimal{}, false
}

// percent shows a share given as a fraction.
func percent(v any) template.HTML {
	var f float64
	switch v := v.(type) {
	case float64:
		f = v
	case *float64:
		if v == nil {
			return `<span class="unit" title="not available">n/a</span>`
		}
		f = *v
	default:
		d, ok := asDecimal(v)
		if !ok {
			return `<span class="unit" title="not available">n/a</span>`
		}
		f, _ = d.Float64()
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return `<span class="unit" title="not available">n/a</span>`
	}
	sign := ""
	if f < 0 {
		sign, f = "−", -f
	}
	places := 1
	if f < 0.1 {
		places = 2
	}
	return template.HTML(sign + group(strconv.FormatFloat(f*100, 'f', places, 64)) + `&nbsp;<span class="unit">%</span>`)
}

func byteSize(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000_000:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// plural gives "1 customer", "2,000 customers".
func plural(v any, one, many string) string {
	n := number(v)
	if n == "1" {
		return "1 " + one
	}
	return n + " " + many
}

func asTime(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v.UTC(), !v.IsZero()
	case *time.Time:
		if v != nil {
			return v.UTC(), !v.IsZero()
		}
	}
	return time.Time{}, false
}

// when shows a time to the minute, day only the day; both are UTC, exact in the title.
func when(v any) template.HTML { return timeTag(v, "2 Jan 2006 15:04") }
func day(v any) template.HTML  { return timeTag(v, "2 Jan 2006") }

func timeTag(v any, layout string) template.HTML {
	t, ok := asTime(v)
	if !ok {
		return "–"
	}
	iso := t.Format(time.RFC3339)
	return template.HTML(`<time class="nowrap" datetime="` + iso + `" title="` + iso + `">` + t.Format(layout) + `</time>`)
}

func stamp(v any) string {
	t, ok := asTime(v)
	if !ok {
		return ""
	}
	return t.Format("2006-01-02T15:04")
}

// ago says how long before now a time lies, in words.
func ago(v any, now time.Time) template.HTML {
	t, ok := asTime(v)
	if !ok {
		return "–"
	}
	d, form := now.Sub(t), "%s ago"
	if d < 0 {
		d, form = -d, "in %s"
	}
	var words string
	switch {
	case d < time.Minute:
		words, form = "just now", "%s"
	case d < time.Hour:
		words = plural(int(d.Minutes()), "minute", "minutes")
	case d < 48*time.Hour:
		words = plural(int(d.Hours()), "hour", "hours")
	case d < 60*24*time.Hour:
		words = plural(int(d.Hours()/24), "day", "days")
	default:
		return day(t)
	}
	iso := t.Format(time.RFC3339)
	return template.HTML(`<time class="nowrap" datetime="` + iso + `" title="` + iso + `">` + fmt.Sprintf(form, words) + `</time>`)
}

// deref gives the value behind the pointers that optional columns come in; "" for nil.
func deref(v any) any {
	switch v := v.(type) {
	case nil:
		return ""
	case *string:
		if v == nil {
			return ""
		}
		return *v
	case *int64:
		if v == nil {
			return ""
		}
		return *v
	}
	return v
}

func text(v any) string {
	s := fmt.Sprint(deref(v))
	if s == "" {
		return "–"
	}
	return s
}

// who names the actor of a record: "user:anna@example.org" is anna@example.org.
func who(v any) string {
	kind, name, _ := strings.Cut(fmt.Sprint(deref(v)), ":")
	switch kind {
	case "user":
		return name
	case "token":
		return "the token " + name
	case "cli":
		return "the command line"
	case "system":
		return "Aldine"
	}
	return text(v)
}

// dict makes the data of a nested template from pairs.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict needs pairs")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: key %v is not a text", pairs[i])
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}
