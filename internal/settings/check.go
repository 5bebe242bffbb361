package settings

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"aldine/internal/fault"
	"aldine/internal/pace"
)

// Check tells what is wrong with settings, all faults at once, as an Invalid error; nil where nothing is.
func (v Values) Check() error {
	var faults []fault.Field
	bad := func(name, message string) { faults = append(faults, fault.Field{Name: name, Message: message}) }
	letters := func(s string, n int) bool { return len(s) == n && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" }
	if v.BaseCurrency != "" && !letters(v.BaseCurrency, 3) {
		bad("base_currency", "Write a currency as three capital letters, like EUR")
	}
	if !letters(v.DefaultCountry, 2) {
		bad("default_country", "Write a country as two capital letters, like US")
	}
	if _, err := time.LoadLocation(v.DefaultTimeZone); err != nil || v.DefaultTimeZone == "" || v.DefaultTimeZone == "Local" {
		bad("default_time_zone", "Write a time zone by its IANA name, like Europe/Berlin")
	}
	if a, err := mail.ParseAddress(v.FromEmail); err != nil || a.Address != v.FromEmail {
		bad("from_email", "This is not an e-mail address")
	}
	for name, text := range map[string]string{"company_name": v.CompanyName, "company_address": v.CompanyAddress, "from_name": v.FromName, "sms_sender": v.SMSSender} {
		if strings.TrimSpace(text) == "" {
			bad(name, "This is needed")
		} else if strings.ContainsAny(text, "\r\n\x00") || len(text) > 300 {
			bad(name, "This must be one line of at most 300 characters")
		}
	}
	for name, days := range map[string]int{"matchback_post_days": v.MatchbackPostDays, "matchback_calls_days": v.MatchbackCallsDays,
		"matchback_email_days": v.MatchbackEmailDays, "matchback_sms_days": v.MatchbackSMSDays} {
		if days < 0 || days > 730 {
			bad(name, "Give 0 to 730 days")
		}
	}
	if v.SoftBounces < 1 || v.SoftBounces > 100 {
		bad("soft_bounces", "Give 1 to 100 mails")
	}
	if v.SoftBounceDays < 1 || v.SoftBounceDays > 365 {
		bad("soft_bounce_days", "Give 1 to 365 days")
	}
	if v.RentedKeepDays < 1 || v.RentedKeepDays > 3650 {
		bad("rented_keep_days", "Give 1 to 3650 days")
	}
	if v.RejectsKeepDays < 1 || v.RejectsKeepDays > 3650 {
		bad("rejects_keep_days", "Give 1 to 3650 days")
	}
	if v.HitMonths != 0 && (v.HitMonths < 3 || v.HitMonths > 240) {
		bad("hit_months", "Give 0, to keep opens and clicks for good, or 3 to 240 months")
	} else if days := max(v.MatchbackPostDays, v.MatchbackCallsDays, v.MatchbackEmailDays, v.MatchbackSMSDays, v.SoftBounceDays); v.HitMonths != 0 && v.HitMonths*30 < days {
		bad("hit_months", fmt.Sprintf("Give at least %d months, or 0: orders are credited to clicks, and bounces in a row are counted, for up to %d days", (days+29)/30, days))
	}
	for name, n := range map[string]struct{ value, min, max int }{
		"retry_days": {v.RetryDays, 1, 30}, "pause_refusals": {v.PauseRefusals, 0, 1000}, "pause_failure_pct": {v.PauseFailurePct, 0, 100},
		"email_per_minute": {v.EmailPerMinute, 0, 10_000_000}, "email_domain_minute": {v.EmailDomainMinute, 0, 10_000_000},
		"mails_keep_days": {v.MailsKeepDays, 0, 365}, "mails_keep_mb": {v.MailsKeepMB, 1, 100_000},
		"event_months": {v.EventMonths, 0, 240},
		"cap_days":     {v.CapDays, 1, 366},
		"cap_email":    {v.CapEmail, 0, 1000}, "cap_sms": {v.CapSMS, 0, 1000}, "cap_post": {v.CapPost, 0, 1000}, "cap_calls": {v.CapCalls, 0, 1000},
		"ramp_start": {v.RampStart, 0, 10_000_000}, "ramp_growth_pct": {v.RampGrowthPct, 1, 1000}, "ramp_target": {v.RampTarget, 1, 100_000_000},
	} {
		if n.value < n.min || n.value > n.max {
			bad(name, fmt.Sprintf("Give a number from %d to %d", n.min, n.max))
		}
	}
	if v.RampStart > v.RampTarget {
		bad("ramp_target", "The volume grows up to this number: it is at least that of the first day")
	}
	for name, text := range map[string]string{"window_email": v.WindowEmail, "window_sms": v.WindowSMS} {
		if _, err := pace.ParseWindow(text); err != nil {
			bad(name, sentence(err))
		}
	}
	if v.CallFromHour < 0 || v.CallToHour > 24 || v.CallFromHour >= v.CallToHour {
		bad("call_from_hour", "The hours for calls must lie within a day, the first before the last")
	}
	if v.CallAttempts < 1 || v.CallAttempts > 50 {
		bad("call_attempts", "Give 1 to 50 tries")
	}
	if v.LeaseMinutes < 1 || v.LeaseMinutes > 1440 {
		bad("lease_minutes", "Give 1 to 1440 minutes")
	}
	if len(faults) == 0 {
		return nil
	}
	slices.SortFunc(faults, func(a, b fault.Field) int { return strings.Compare(a.Name, b.Name) })
	return fault.Bad("The settings are not valid", faults...)
}

func sentence(err error) string {
	s := err.Error()
	return strings.ToUpper(s[:1]) + s[1:]
}
