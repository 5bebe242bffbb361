package segments

import (
	"context"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"
)

// zones are the names of time zones that both evaluators know. They belong to the program and its server, not to a database:
// read once.
var zones struct {
	sync.Mutex
	names []string
	known map[string]*time.Location
}

// loadZones reads the zones when they are not known yet.
func loadZones(ctx context.Context, q Querier) error {
	zones.Lock()
	defer zones.Unlock()
	if zones.known != nil {
		return nil
	}
	var names []string
	err := q.QueryRow(ctx, `SELECT coalesce(array_agg(name ORDER BY name), '{}') FROM pg_timezone_names WHERE name = 'UTC' OR strpos(name, '/') > 0`).Scan(&names)
	if err != nil {
		return err
	}
	known := make(map[string]*time.Location, len(names))
	for _, name := range names {
		if strings.HasPrefix(name, "posix/") || strings.HasPrefix(name, "right/") {
			continue
		}
		if location, err := time.LoadLocation(name); err == nil {
			known[name] = location
			zones.names = append(zones.names, name)
		}
	}
	zones.known = known
	return nil
}

// zone gives the SQL of the customer's time zone: UTC where it is not known or no zone.
func (w *writer) zone() string {
	if w.zones == "" {
		w.zones = w.arg(zones.names, "text[]")
	}
	return "(CASE WHEN " + w.alias + ".time_zone = ANY(" + w.zones + ") THEN " + w.alias + ".time_zone ELSE 'UTC' END)"
}

// location is zone in memory.
func (f *Facts) location() *time.Location {
	if l := zones.known[f.fields["time_zone"].s]; l != nil {
		return l
	}
	return time.UTC
}

// calendarPart is the year, month, day, weekday or hour of a time, in the customer's time zone; of a date, as it stands.
type calendarPart struct {
	part string
	of   node
	date bool
}

func (n *calendarPart) kind() kind { return number }

var sqlParts = map[string]string{"year": "year", "month": "month", "day": "day", "weekday": "isodow", "hour": "hour"}

func (n *calendarPart) sql(w *writer) {
	w.text("(extract(" + sqlParts[n.part] + " FROM (")
	n.of.sql(w)
	w.text(" AT TIME ZONE ")
	if n.date {
		w.text("'UTC'")
	} else {
		w.text(w.zone())
	}
	w.text("))::numeric)")
}

func (n *calendarPart) eval(e *env) value {
	v := n.of.eval(e)
	if !v.known {
		return value{}
	}
	t := local(e.facts, v.i, n.date)
	var got int
	switch n.part {
	case "year":
		if got = t.Year(); got <= 0 { // there is no year 0: before 1 comes 1 BC
			got--
		}
	case "month":
		got = int(t.Month())
	case "day":
		got = t.Day()
	case "weekday":
		got = (int(t.Weekday())+6)%7 + 1
	default:
		got = t.Hour()
	}
	return knownNumber(big.NewRat(int64(got), 1))
}

func local(f *Facts, at int64, date bool) time.Time {
	t := time.UnixMicro(at).UTC()
	if date {
		return t
	}
	return t.In(f.location())
}

// anniversary holds where the day and month of a time come within days from today on, today being the customer's own.
type anniversary struct {
	of    node
	date  bool // a date without a time zone
	now   int64
	today [3]time.Time // by what day it is for the customer: yesterday, today or tomorrow in UTC, at midnight
	days  [3][]int32   // then, written month*100+day
	all   []int32      // of all three
}

func newAnniversary(of node, date bool, now, until int64) *anniversary {
	n := &anniversary{of: of, date: date, now: now}
	length := until - now
	for i := range n.days {
		today := time.UnixMicro(now).UTC().AddDate(0, 0, i-1)
		n.today[i], n.days[i] = today.Truncate(24*time.Hour), daysFrom(today, length)
		n.all = append(n.all, n.days[i]...)
	}
	slices.Sort(n.all)
	n.all = slices.Compact(n.all)
	return n
}

// daysFrom gives the days of a window; 29 February is kept on the 28th in common years.
func daysFrom(today time.Time, window int64) []int32 {
	var days []int32
	for i := range int(min(window/day, 366)) + 1 {
		d := today.AddDate(0, 0, i)
		days = append(days, int32(int(d.Month())*100+d.Day()))
		if d.Month() == time.February && d.Day() == 28 && d.AddDate(0, 0, 1).Month() == time.March {
			days = append(days, 229)
		}
	}
	return days
}

func (n *anniversary) kind() kind     { return boolean }
func (n *anniversary) nullable() bool { return true }

func (n *anniversary) sql(w *writer) {
	// A field is written out each time it is needed: with a subquery of its own the planner would use one processor only.
	at := func() { w.text("x.at") }
	_, own := n.of.(*fieldNode)
	if own {
		at = func() { n.moment(w) }
	}
	day := func() {
		w.text("(date_part('month', ")
		at()
		w.text(") * 100 + date_part('day', ")
		at()
		w.text("))::integer")
	}
	if !own {
		w.text("(SELECT ")
	}
	// Most are sorted out by the days of all zones together, before anybody's own day is worked out.
	w.text("(CASE WHEN ")
	day()
	w.text(" = ANY(" + w.arg(n.all, "integer[]") + ") THEN ")
	day()
	w.text(" = ANY(CASE (" + w.arg(time.UnixMicro(n.now).UTC(), "timestamptz") + " AT TIME ZONE " + w.zone() + ")::date")
	for i := range 2 {
		w.text(" WHEN " + w.arg(n.today[i], "date") + " THEN " + w.arg(n.days[i], "integer[]"))
	}
	w.text(" ELSE " + w.arg(n.days[2], "integer[]") + " END) END)")
	if !own {
		w.text(" FROM (SELECT ")
		n.moment(w)
		w.text(" AS at) x)")
	}
}

// moment writes the time as the clock of the customer has it.
func (n *anniversary) moment(w *writer) {
	field, isField := n.of.(*fieldNode)
	switch {
	case n.date && isField:
		w.text(field.field.expression(w.alias, false))
	case n.date:
		n.of.sql(w)
		w.text(" AT TIME ZONE 'UTC'")
	default:
		n.of.sql(w)
		w.text(" AT TIME ZONE " + w.zone())
	}
}

func (n *anniversary) eval(e *env) value {
	v := n.of.eval(e)
	if !v.known {
		return known(false)
	}
	d := local(e.facts, v.i, n.date)
	today := local(e.facts, n.now, false)
	i := slices.Index(n.today[:2], time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, time.UTC))
	if i < 0 {
		i = 2
	}
	return known(slices.Contains(n.days[i], int32(int(d.Month())*100+d.Day())))
}

// addMonths moves a time by months of the calendar, to the last day of a month that is too short, as PostgreSQL does.
func addMonths(at int64, months int32) int64 {
	if months == 0 {
		return at
	}
	t := time.UnixMicro(at).UTC()
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return micros(first.AddDate(0, 0, min(t.Day(), last)-1))
}

// plus moves a time by a span.
func plus(at int64, by value) int64 { return addMonths(at, by.months) + by.i }

// minus gives a span the other way round.
func minus(by value) value { return value{known: true, i: -by.i, months: -by.months} }
