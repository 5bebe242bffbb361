package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"aldine/internal/fault"
	"aldine/internal/pace"
	"aldine/internal/settings"
)

type companyPage struct {
	settingsFrame
	BaseCurrency string
}

var companyView = pageView[companyPage]("settings-company")

func (p *Pages) companyForm(c echo.Context) error {
	v, err := p.Settings.Get(ctx(c))
	if err != nil {
		return err
	}
	f := formWith("company_name", v.CompanyName, "company_address", v.CompanyAddress, "from_name", v.FromName, "from_email", v.FromEmail,
		"sms_sender", v.SMSSender, "default_country", v.DefaultCountry, "default_time_zone", v.DefaultTimeZone, "base_currency", v.BaseCurrency,
		"window_email", v.WindowEmail, "window_sms", v.WindowSMS)
	for name, on := range map[string]bool{"consent_email": v.ConsentEmail, "consent_sms": v.ConsentSMS, "consent_post": v.ConsentPost, "consent_calls": v.ConsentCalls, "trap_link": v.TrapLink} {
		if on {
			f.values.Set(name, "yes")
		}
	}
	for _, n := range numbersOf(&v) {
		f.values.Set(n.name, strconv.Itoa(*n.value))
	}
	return p.showCompany(c, f, v)
}

func (p *Pages) showCompany(c echo.Context, f form, v settings.Values) error {
	return showStatus(p, c, f.status(), companyView, companyPage{p.settingsFrame(c, "Company and channels", f), v.BaseCurrency})
}

// numberSetting is a setting that is a whole number, with its bounds.
type numberSetting struct {
	name     string
	value    *int
	min, max int
}

func numbersOf(v *settings.Values) []numberSetting {
	return []numberSetting{
		{"matchback_post_days", &v.MatchbackPostDays, 0, 730}, {"matchback_calls_days", &v.MatchbackCallsDays, 0, 730},
		{"matchback_email_days", &v.MatchbackEmailDays, 0, 730}, {"matchback_sms_days", &v.MatchbackSMSDays, 0, 730},
		{"soft_bounces", &v.SoftBounces, 1, 100}, {"soft_bounce_days", &v.SoftBounceDays, 1, 365},
		{"mails_keep_days", &v.MailsKeepDays, 0, 365}, {"mails_keep_mb", &v.MailsKeepMB, 1, 100_000},
		{"rented_keep_days", &v.RentedKeepDays, 1, 3650}, {"rejects_keep_days", &v.RejectsKeepDays, 1, 3650}, {"hit_months", &v.HitMonths, 0, 240}, {"event_months", &v.EventMonths, 0, 240},
		{"call_from_hour", &v.CallFromHour, 0, 23}, {"call_to_hour", &v.CallToHour, 1, 24}, {"call_attempts", &v.CallAttempts, 1, 20},
		{"lease_minutes", &v.LeaseMinutes, 1, 240},
		{"retry_days", &v.RetryDays, 1, 30}, {"pause_refusals", &v.PauseRefusals, 0, 1000}, {"pause_failure_pct", &v.PauseFailurePct, 0, 100},
		{"email_per_minute", &v.EmailPerMinute, 0, 10_000_000}, {"email_domain_minute", &v.EmailDomainMinute, 0, 10_000_000},
		{"cap_days", &v.CapDays, 1, 366}, {"cap_email", &v.CapEmail, 0, 1000}, {"cap_sms", &v.CapSMS, 0, 1000},
		{"cap_post", &v.CapPost, 0, 1000}, {"cap_calls", &v.CapCalls, 0, 1000},
		{"ramp_start", &v.RampStart, 0, 10_000_000}, {"ramp_growth_pct", &v.RampGrowthPct, 1, 1000}, {"ramp_target", &v.RampTarget, 1, 100_000_000},
	}
}

func (p *Pages) companySave(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	v, err := p.Settings.Update(ctx(c), func(v *settings.Values) error { return readCompany(f, v) })
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showCompany(c, f, v)
	}
	return p.done(c, "/settings/company", "The settings are saved and hold from now on.")
}

// readCompany lays the form over the settings; the Invalid error has every faulty field.
func readCompany(f form, v *settings.Values) error {
	var faults []fault.Field
	bad := func(name, message string) { faults = append(faults, fault.Field{Name: name, Message: message}) }
	for _, t := range []struct {
		name  string
		value *string
	}{{"company_name", &v.CompanyName}, {"company_address", &v.CompanyAddress}, {"from_name", &v.FromName}, {"from_email", &v.FromEmail},
		{"sms_sender", &v.SMSSender}} {
		*t.value = f.Text(t.name)
		if *t.value == "" || len(*t.value) > 300 || strings.ContainsAny(*t.value, "\r\n\x00") {
			bad(t.name, "Give a text of one line and at most 300 characters")
		}
	}
	if !strings.Contains(v.FromEmail, "@") {
		bad("from_email", "Give a whole e-mail address")
	}
	v.DefaultCountry = strings.ToUpper(f.Text("default_country"))
	if len(v.DefaultCountry) != 2 {
		bad("default_country", "Use two letters, such as AT")
	}
	v.DefaultTimeZone = f.Text("default_time_zone")
	if _, err := time.LoadLocation(v.DefaultTimeZone); err != nil || v.DefaultTimeZone == "" {
		bad("default_time_zone", "Use a name such as Europe/Vienna")
	}
	v.ConsentEmail, v.ConsentSMS = f.Has("consent_email", "yes"), f.Has("consent_sms", "yes")
	v.ConsentPost, v.ConsentCalls = f.Has("consent_post", "yes"), f.Has("consent_calls", "yes")
	v.TrapLink = f.Has("trap_link", "yes")
	for _, n := range numbersOf(v) {
		i, err := strconv.Atoi(f.Text(n.name))
		if err != nil || i < n.min || i > n.max {
			bad(n.name, "Use a whole number from "+strconv.Itoa(n.min)+" to "+strconv.Itoa(n.max))
			continue
		}
		*n.value = i
	}
	for name, value := range map[string]*string{"window_email": &v.WindowEmail, "window_sms": &v.WindowSMS} {
		*value = f.Text(name)
		if w, err := pace.ParseWindow(*value); err != nil {
			bad(name, "Not readable: "+pace.WindowHelp)
		} else if *value != "" {
			*value = w.String()
		}
	}
	if v.RampStart > v.RampTarget {
		bad("ramp_target", "At least the mails of the first day")
	}
	if v.CallFromHour >= v.CallToHour {
		bad("call_to_hour", "The end lies after the beginning")
	}
	if faults != nil {
		return fault.Bad("The settings are not valid", faults...)
	}
	return v.Check() // what the API checks, too
}
