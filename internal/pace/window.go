package pace

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Window is a part of the week in which messages may go; the zero value is always open.
type Window struct {
	days     byte // a bit for each weekday, Sunday first
	from, to int  // minutes of the day; to is not after from where the window ends on the next day
	Local    bool // by the customer's clock, not by ours
}

// Always is how a window without limits is written.
const Always = "always"

// WindowHelp tells people how a window is written.
const WindowHelp = `write days and hours like "mon-fri 09:00-20:00", with "local" behind it for the customer's own time zone, or "always"`

var (
	dayNames      = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	windowPattern = regexp.MustCompile(`^(?:(.*?) )?(\d{1,2})(?::(\d{2}))?\s?-\s?(\d{1,2})(?::(\d{2}))?( local)?$`)
)

const (
	allDays = 0b1111111
	dayLong = 24 * 60
)

// ParseWindow reads a window: days (none for all of them), hours, and "local" for the customer's time zone. "" and "always"
// are the one that is always open. The error tells people what is wrong.
func ParseWindow(text string) (Window, error) {
	s := strings.Join(strings.Fields(strings.NewReplacer("–", "-", "daily", "").Replace(strings.ToLower(text))), " ")
	if s == "" || s == Always {
		return Window{}, nil
	}
	m := windowPattern.FindStringSubmatch(s)
	if m == nil || len(text) > 100 {
		return Window{}, fmt.Errorf("these are no hours: %s", WindowHelp)
	}
	w := Window{days: allDays, from: minutes(m[2], m[3]), to: minutes(m[4], m[5]), Local: m[6] != ""}
	if w.from < 0 || w.from >= dayLong || w.to < 0 || w.to == w.from {
		return Window{}, fmt.Errorf("hours go from 00:00 to 24:00, and the end is not the beginning: %s", WindowHelp)
	}
	if w.to == 0 {
		w.to = dayLong
	}
	if m[1] != "" {
		var ok bool
		if w.days, ok = parseDays(m[1]); !ok {
			return Window{}, fmt.Errorf("%q are no days: %s", m[1], WindowHelp)
		}
	}
	if w.days == allDays && w.from == 0 && w.to == dayLong {
		return Window{}, nil
	}
	return w, nil
}

func minutes(hour, minute string) int {
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi("0" + minute)
	if h > 24 || m > 59 || h == 24 && m > 0 {
		return -1
	}
	return h*60 + m
}

func parseDays(s string) (days byte, ok bool) {
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		first, last, span := strings.Cut(part, "-")
		a, b := dayNumber(first), dayNumber(last)
		if !span {
			b = a
		}
		if a < 0 || b < 0 {
			return 0, false
		}
		for ; ; a = (a + 1) % 7 {
			days |= 1 << a
			if a == b {
				break
			}
		}
	}
	return days, days != 0
}

func dayNumber(name string) int {
	for i, short := range dayNames {
		if len(name) >= 3 && strings.HasPrefix(name, short) && strings.HasPrefix(strings.ToLower(time.Weekday(i).String()), name) {
			return i
		}
	}
	return -1
}

// IsZero tells whether the window is always open.
func (w Window) IsZero() bool { return w.days == 0 }

// Days are the days of the window as it is written; "" where it is all of them.
func (w Window) Days() string {
	if w.days == allDays || w.IsZero() {
		return ""
	}
	var parts []string
	for i := 1; i <= 7; i++ { // Monday first
		if !w.on(i % 7) {
			continue
		}
		j := i
		for j < 7 && w.on((j+1)%7) {
			j++
		}
		switch j {
		case i:
			parts = append(parts, dayNames[i%7])
		case i + 1:
			parts = append(parts, dayNames[i%7], dayNames[j%7])
		default:
			parts = append(parts, dayNames[i%7]+"-"+dayNames[j%7])
		}
		i = j
	}
	return strings.Join(parts, ",")
}

// Has tells whether the window opens on a weekday.
func (w Window) Has(d time.Weekday) bool { return w.on(int(d)) }

func (w Window) on(day int) bool { return w.days&(1<<day) != 0 }

// From and To are the hours of the window, as 09:00; "" where it is always open.
func (w Window) From() string { return w.clock(w.from) }

// To is the end of the window, as 20:00.
func (w Window) To() string { return w.clock(w.to) }

func (w Window) clock(minutes int) string {
	if w.IsZero() {
		return ""
	}
	return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
}

// String writes the window so that ParseWindow reads it.
func (w Window) String() string {
	if w.IsZero() {
		return Always
	}
	s := strings.TrimSpace(w.Days() + " " + w.From() + "-" + w.To())
	if w.Local {
		s += " local"
	}
	return s
}

// Words puts the window into words: "Mon–Fri from 09:00 to 20:00".
func (w Window) Words() string {
	if w.IsZero() {
		return "at any time"
	}
	days := "every day"
	if w.days != allDays {
		parts := strings.Split(w.Days(), ",")
		for i, p := range parts {
			first, last, span := strings.Cut(p, "-")
			if parts[i] = capital(first); span {
				parts[i] += "–" + capital(last)
			}
		}
		days = strings.Join(parts, ", ")
	}
	return days + " from " + w.From() + " to " + w.To()
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// Open tells whether messages may go at a time, by the clock of a zone.
func (w Window) Open(t time.Time, zone *time.Location) bool {
	if w.IsZero() {
		return true
	}
	t = t.In(zone)
	day, now := int(t.Weekday()), t.Hour()*60+t.Minute()
	if w.from < w.to {
		return w.on(day) && now >= w.from && now < w.to
	}
	return w.on(day) && now >= w.from || w.on((day+6)%7) && now < w.to
}

// Next gives the first time, not before t, at which the window is open.
func (w Window) Next(t time.Time, zone *time.Location) time.Time {
	if w.Open(t, zone) {
		return t
	}
	return w.edge(t, zone, true)
}

// End gives when the window that is open at t closes; zero for one that never does.
func (w Window) End(t time.Time, zone *time.Location) time.Time {
	if w.IsZero() {
		return time.Time{}
	}
	return w.edge(t, zone, false)
}

// edge gives the first time after t at which the window begins to be open, or not. It can only be where the clock shows from, to or
// midnight, or where clocks are set anew.
func (w Window) edge(t time.Time, zone *time.Location, open bool) time.Time {
	t = t.In(zone)
	var first time.Time
	try := func(c time.Time) {
		if c.After(t) && (first.IsZero() || c.Before(first)) && w.Open(c, zone) == open {
			first = c
		}
	}
	for i := -1; i <= 15; i++ { // a day on which the window's hours do not exist is left out: the next one is a week away
		for _, clock := range []int{0, w.from, w.to} {
			c := time.Date(t.Year(), t.Month(), t.Day()+i, clock/60, clock%60, 0, 0, zone)
			for _, shift := range []time.Duration{-time.Hour, -30 * time.Minute, 0, 30 * time.Minute, time.Hour} { // the hour that comes twice
				try(c.Add(shift))
			}
		}
	}
	for at, i := t, 0; i < 4; i++ {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(t.AddDate(0, 0, 16)) {
			break
		}
		try(end)
		at = end
	}
	return first
}

// most is how often NextAll looks for a time that suits all zones.
const most = 60

// NextAll gives the first time, not before t, at which the window is open by the clocks of all zones; where no such time is
// found, that of the last zone.
func (w Window) NextAll(t time.Time, zones []*time.Location) time.Time {
	at := t
	for range most {
		moved := false
		for _, zone := range zones {
			if next := w.Next(at, zone); next.After(at) {
				at, moved = next, true
			}
		}
		if !moved {
			return at
		}
	}
	return w.Next(t, zones[len(zones)-1])
}
