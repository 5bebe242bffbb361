package segments

import (
	"regexp"
	"strconv"
	"time"

	"github.com/expr-lang/expr/ast"
)

// Times, lengths of time and the calendar.

func (c *checker) nowCall(f call) node {
	if !c.arity(f, 0, 0) {
		return nil
	}
	return &constant{k: instant, v: knownTime(c.now)}
}

func (c *checker) date(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	s, ok := c.quoted(f, 0, "a date")
	if !ok {
		return nil
	}
	t, ok := readTime(s)
	if !ok {
		return c.fail(f.args[0], `%q is not a date: write it as "2026-01-31", or with a time as "2026-01-31T18:00:00Z"`, shorten(s))
	}
	return &constant{k: instant, v: knownTime(t)}
}

// readTime reads a day or a time; without a zone it is UTC.
func readTime(s string) (int64, bool) {
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			at := micros(t)
			return at, at >= minTime && at < maxTime
		}
	}
	return 0, false
}

func (c *checker) duration(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	s, ok := c.quoted(f, 0, "a duration")
	if !ok {
		return nil
	}
	length, ok := c.length(f.args[0], s)
	if !ok {
		return nil
	}
	return &constant{k: span, v: length}
}

func (c *checker) ago(f call) node {
	d, ok := c.duration(f).(*constant)
	if !ok {
		return nil
	}
	return c.moved(f.at, &constant{k: instant, v: knownTime(c.now)}, minus(d.v))
}

func (c *checker) length(at ast.Node, s string) (value, bool) {
	length, ok := readSpan(s)
	if !ok {
		hint := ""
		if regexp.MustCompile(`^\d+m$`).MatchString(s) {
			hint = "; m could be minutes (min) or months (mo)"
		}
		c.fail(at, `%q is not a duration: write a number and s, min, h, d, w, mo or y, such as "90d", up to 100 years%s`, shorten(s), hint)
	}
	return length, ok
}

var (
	spanPattern = regexp.MustCompile(`^(\d{1,7}(s|min|h|d|w|mo|y))+$`)
	spanPart    = regexp.MustCompile(`(\d+)([a-z]+)`)
	spanUnits   = map[string]int64{"s": 1_000_000, "min": 60_000_000, "h": day / 24, "d": day, "w": 7 * day}
	spanMonths  = map[string]int64{"mo": 1, "y": 12}
)

// readSpan reads a length of time: months and years as months of the calendar, the rest in microseconds.
func readSpan(s string) (value, bool) {
	if len(s) > 40 || !spanPattern.MatchString(s) {
		return value{}, false
	}
	const longest = 36525 * day
	var sum, months int64
	for _, part := range spanPart.FindAllStringSubmatch(s, -1) {
		n, _ := strconv.ParseInt(part[1], 10, 64) // the pattern allows seven digits
		months += n * spanMonths[part[2]]
		if unit := spanUnits[part[2]]; unit > 0 {
			if n > longest/unit {
				return value{}, false
			}
			sum += n * unit
		}
	}
	if months > 1200 || sum > longest || sum+months*30*day > longest+months*day/2 {
		return value{}, false
	}
	return value{known: true, i: sum, months: int32(months)}, true
}

// calendarPart is year, month, day, weekday and hour.
func (c *checker) calendarPart(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	of, ok := c.timeArgument(f)
	if !ok {
		return nil
	}
	c.outer++
	return &calendarPart{part: f.name, of: of, date: isDate(of)}
}

func (c *checker) birthday(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	for _, name := range []string{"birthday", "date_of_birth", "birth_date", "dob"} {
		if field := c.catalog.field(name); field != nil && field.cast == asTime {
			return c.anniversaryOf(f, 0, c.identifier(&ast.IdentifierNode{Value: name}), true)
		}
	}
	return c.fail(f.at, "no birthday is known: define an attribute of type date named birthday or date_of_birth")
}

func (c *checker) anniversary(f call) node {
	if !c.arity(f, 2, 2) {
		return nil
	}
	of, ok := c.timeArgument(f)
	if !ok {
		return nil
	}
	return c.anniversaryOf(f, 1, of, isDate(of))
}

// anniversaryOf reads the window in argument i.
func (c *checker) anniversaryOf(f call, i int, of node, date bool) node {
	s, ok := c.quoted(f, i, "a duration")
	if !ok || of == nil {
		return nil
	}
	length, ok := c.length(f.args[i], s)
	if !ok {
		return nil
	}
	c.outer++ // the time zone is the customer's
	return newAnniversary(of, date, c.now, plus(c.now, length))
}

func (c *checker) timeArgument(f call) (node, bool) {
	of := c.node(f.args[0])
	if of == nil {
		return nil, false
	}
	if of.kind() != instant {
		c.fail(f.args[0], "%s is %s, but %s needs a time", c.name(f.args[0]), of.kind().phrase(), f.name)
		return nil, false
	}
	return of, true
}

// isDate tells whether a time is a date without a time of day, which is the same in every zone.
func isDate(n node) bool {
	switch n := n.(type) {
	case *fieldNode:
		return n.field.cast == asTime
	case *itemNode:
		return n.field.cast == asTime
	}
	return false
}

// asOf asks about behaviour as it was at a time.
func (c *checker) asOfCall(f call) node {
	if !c.arity(f, 2, 2) {
		return nil
	}
	s, ok := c.quoted(f, 0, "a date")
	if !ok {
		return nil
	}
	at, ok := readTime(s)
	if !ok {
		return c.fail(f.args[0], `%q is not a date: write it as "2026-01-31", or with a time as "2026-01-31T18:00:00Z"`, shorten(s))
	}
	if c.asOf {
		return c.fail(f.at, "as_of cannot stand within as_of")
	}
	now := c.now
	c.now, c.until, c.asOf = at, at, true
	n := c.node(f.args[1])
	c.now, c.until, c.asOf = now, never, false
	return n
}
