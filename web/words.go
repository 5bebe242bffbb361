package web

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/govalues/decimal"
)

func icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" aria-hidden="true"><use href="` + assetURL("vendor/icons.svg") + `#` + template.HTMLEscapeString(name) + `"/></svg>`)
}

// mark is the printer's mark: an anchor with a dolphin winding round it.
func mark() template.HTML {
	return `<svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">` +
		`<circle cx="16" cy="4.600" r="2.600"/><path d="M16 7.200V28M10.500 11h11"/>` +
		`<path d="M4.500 19.500c.8 5.200 5.500 8.500 11.500 8.500s10.700-3.300 11.500-8.500M4.500 19.500l-1.700 2.700M4.500 19.500l2.900 1.500M27.500 19.500l1.700 2.700M27.500 19.500l-2.900 1.500"/>` +
		`<path stroke-width="1.500" d="M9.300 24.200c1.500-1.700 3.200-2.100 5-2.300 3.700-.4 6.700-1.600 6.700-4.100 0-2.300-2.400-2.900-5-2.900-2.500 0-4.700-.7-4.700-2.600 0-.8.4-1.500 1-2"/></svg>`
}

func mediumName(channel string) string {
	switch channel {
	case "email":
		return "E-mail"
	case "sms":
		return "SMS"
	case "post":
		return "Letter"
	case "calls":
		return "Call"
	case "all":
		return "All channels"
	case "":
		return "–"
	}
	return channel
}

func mediumIcon(channel string) string {
	switch channel {
	case "email":
		return "mail"
	case "sms":
		return "message"
	case "post":
		return "mailbox"
	case "calls":
		return "phone"
	}
	return "speakerphone"
}

// stateBadge shows a state of a campaign, an import, a touch or a job.
func stateBadge(v any) template.HTML {
	state := fmt.Sprint(v)
	class := "st-draft"
	switch state {
	case "approved", "waiting", "planned", "ready", "available", "scheduled":
		class = "st-approved"
	case "running", "sending", "leased", "active", "applying":
		class = "st-running"
	case "paused", "unconfirmed", "retryable":
		class = "st-paused"
	case "finished", "sent", "done", "completed", "converted", "applied":
		class = "st-finished"
	case "failed", "bounced", "cancelled", "discarded", "rejected":
		class = "st-bad"
	}
	return template.HTML(`<span class="badge ` + class + `">` + template.HTMLEscapeString(sayWord(state)) + `</span>`)
}

// points shows a difference of two shares in percentage points.
func points(f float64) string { return group(strconv.FormatFloat(f*100, 'f', 2, 64)) }

// round gives an estimate without false precision.
func round(d *decimal.Decimal) decimal.Decimal { return d.Round(1) }

// words for codes that reach people.
var words = map[string]string{
	"no_address": "no address", "no_consent": "no consent", "frequency_cap": "contacted often enough lately", "control": "control group", "duplicate": "duplicate",
	"household": "one piece per household", "address": "one piece per address", "company": "one piece per company",
	"licence": "licence used up", "register_stale": "do-not-call file too old",
	"suppressed": "suppressed", "too_late": "not before the campaign's end", "budget": "budget used up", "cancelled": "cancelled", "readonly": "read-only",
	"calls": "calls", "post": "letter", "sms": "SMS",
}

func sayWord(code any) string {
	s := fmt.Sprint(deref(code))
	if w, ok := words[s]; ok {
		return w
	}
	return strings.ReplaceAll(s, "_", " ")
}
