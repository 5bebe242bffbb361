package segments

import (
	"math/rand/v2"
	"strings"
	"time"
)

// oddTexts are what encodings, cases and orders stumble over: composed and decomposed, from right to left, without width,
// letters whose case changes their number, the ends of the planes (which UTF-16 orders otherwise), and very long.
var oddTexts = append([]string{"ẞ", "SS", "ss", "İ", "i̇", "ı", "I", "i", "\u212a", "k", "ſ", "s", "σ", "ς", "Σ", "ǆ", "ǅ", "Ǆ", "ΐ", "ΐ", "ﬁ", "Å", "\u212b", "A\u030a", "n\u0303",
	"\u0301", "שלום", "\u200fמ", "مرحبا", "\u202eabc", "a\u200db", "\u200c", "\ufeffa", "\ufffd", "\uffff", "\ue000", "\U00010000", "\U0010ffff", "👩‍👩‍👧", "🇩🇪", "\x01", "\x7f",
	"\r\n", "\t", "\u00a0", " a", "a ", "NULL", "null", "NaN", "true", "1", "'; --", "$1", "@p1::text", "{}", "{a,NULL}", "\"a\"", "\\", "\\\\", "%%", "(", "[a-z]", "^a$", ".*",
	"あ", "ｱ", "한국", "\u1112\u1161\u11ab", strings.Repeat("ä", 3000), strings.Repeat("ab", 2500) + "c"}, words...)

func (u *universe) text(r *rand.Rand) string { return pick(r, oddTexts) }

// moments are ends of what can be stored, clocks put forward and back on half hours and whole ones, leap days, ends of months and years.
var moments = []string{"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2025-03-30T00:59:59.999999Z", "2025-03-30T01:00:00Z", "2025-03-30T01:30:00Z", "2025-10-26T00:30:00Z",
	"2025-10-26T01:30:00Z", "2025-03-09T07:00:00Z", "2025-11-02T05:30:00Z", "2025-11-02T06:30:00Z", "2025-10-04T15:30:00Z", "2026-04-04T15:00:00Z", "2024-02-29T00:00:00Z",
	"2024-02-28T18:30:00Z", "2000-02-29T12:00:00Z", "1900-02-28T23:59:59Z", "1900-03-01T00:00:00Z", "2025-12-31T23:30:00Z", "2025-12-31T10:00:00Z", "2026-01-01T00:00:00Z", "2026-01-31T12:00:00Z",
	"1883-11-18T12:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "2038-01-19T03:14:08Z", "1582-10-10T00:00:00Z", "2011-12-30T10:00:00Z", "2026-02-20T12:00:00Z"}

func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

// time draws one near now, or an odd one.
func (u *universe) time(r *rand.Rand) time.Time {
	switch r.IntN(10) {
	case 0:
		return moment(pick(r, moments))
	case 8: // where the windows of expressions begin and end
		ago, _ := readSpan(pick(r, []string{"30d", "60d", "90d", "1mo", "2mo", "3mo", "6mo", "1y", "1d", "1h"}))
		return time.UnixMicro(plus(micros(u.now), minus(ago)) + int64(r.IntN(5)/2-1)).UTC()
	case 9:
		return time.Date(1960+4*r.IntN(17), 2, 29, r.IntN(24), 0, 0, 0, time.UTC)
	case 1:
		return u.now.AddDate(-r.IntN(40), 0, r.IntN(20)-10)
	case 2:
		return u.now.Add(time.Duration(r.IntN(5)-2) * time.Microsecond)
	case 3:
		return u.now.AddDate(0, -r.IntN(14), 0)
	}
	t := u.now.Add(-time.Duration(r.IntN(200*24)) * time.Hour)
	if r.IntN(2) == 0 {
		return t.Truncate(24 * time.Hour)
	}
	return t
}

var oddZones = append([]string{"Asia/Kathmandu", "Australia/Adelaide", "America/St_Johns", "Pacific/Chatham", "Asia/Tehran", "Africa/Casablanca", "Europe/Dublin", "America/Sao_Paulo",
	"Antarctica/Troll", "Pacific/Apia", "Etc/GMT+12", "CET", "posix/Europe/Berlin", "EST5EDT", "+02:00", "Europe/Berlin ", "'"}, testZones...)

// value draws one of an attribute.
func (u *universe) value(r *rand.Rand, typ string) (v any, cast string) {
	if r.IntN(4) == 0 {
		return nil, ""
	}
	switch typ {
	case "text":
		return u.text(r), ""
	case "number":
		return pick(r, []string{"0", "-0", "1", "2", "2.5", "-3", "7.000001", "1e20", "-1e20", "0.333333333333333333", "1e-18", "1e308", "5e-324", "-1.7976931348623157e308", "9007199254740993", "0.1", "1000000"}), "::text::numeric"
	case "money":
		return pick(r, []string{"0", "10.5", "1000", "-0.0001", "999999999999999.9999", "-999999999999999.9999", "0.3333"}), "::text::numeric"
	case "bool":
		return r.IntN(2) == 0, ""
	case "date":
		return u.time(r).Format(time.DateOnly), "::text::date"
	case "time":
		return u.time(r), ""
	}
	list := []*string{}
	for range r.IntN(4) {
		list = append(list, maybe(r, u.text(r)))
	}
	return list, ""
}
