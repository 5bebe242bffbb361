package segments

import (
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/expr-lang/expr/ast"
)

func (c *checker) isKnown(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	of := c.node(f.args[0])
	if of == nil {
		return nil
	}
	if of.kind() == skus {
		return c.fail(f.args[0], "an order can have several products: ask about one, such as .product == \"X\"")
	}
	return &isKnown{of: of}
}

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
	return &constant{k: span, v: knownTime(length)}
}

func (c *checker) ago(f call) node {
	d, ok := c.duration(f).(*constant)
	if !ok {
		return nil
	}
	return c.moved(f.at, &constant{k: instant, v: knownTime(c.now)}, -d.v.i)
}

func (c *checker) length(at ast.Node, s string) (int64, bool) {
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
	spanUnits   = map[string]int64{"s": 1_000_000, "min": 60_000_000, "h": day / 24, "d": day, "w": 7 * day, "mo": 30 * day, "y": 365 * day}
)

// readSpan reads a length of time in microseconds.
func readSpan(s string) (int64, bool) {
	if len(s) > 40 || !spanPattern.MatchString(s) {
		return 0, false
	}
	var sum int64
	for _, part := range spanPart.FindAllStringSubmatch(s, -1) {
		n, _ := strconv.ParseInt(part[1], 10, 64) // the pattern allows seven digits
		if sum += n * spanUnits[part[2]]; n > 36500*day/spanUnits[part[2]] || sum > 36500*day {
			return 0, false
		}
	}
	return sum, true
}

// campaign reads the optional campaign code in argument 0: its id, 0 for any.
func (c *checker) campaign(f call) (int64, bool) {
	if len(f.args) == 0 {
		return 0, true
	}
	code, ok := c.quoted(f, 0, "a campaign's code")
	if !ok || code == "" {
		return 0, ok
	}
	id, ok := c.catalog.campaigns[code]
	if !ok {
		c.fail(f.args[0], "there is no campaign with the code %q%s", shorten(code), didYouMean(code, c.catalog.Campaigns))
	}
	return id, ok
}

func (c *checker) answered(f call) node {
	if !c.arity(f, 0, 2) {
		return nil
	}
	campaign, ok := c.campaign(f)
	since, okSince := c.since(f, 1)
	if !ok || !okSince {
		return nil
	}
	kinds := map[string][]string{"clicked": {"click"}, "opened": {"open"}, "responded": humanKinds}[f.name]
	return &answered{kinds: kinds, campaign: campaign, since: since}
}

func (c *checker) contacted(f call) node {
	if !c.arity(f, 0, 2) {
		return nil
	}
	campaign, ok := c.campaign(f)
	since, okSince := c.since(f, 1)
	if !ok || !okSince {
		return nil
	}
	return &contacted{campaign: campaign, since: since}
}

func (c *checker) bought(f call) node {
	if !c.arity(f, 0, 2) {
		return nil
	}
	sku, ok := "", true
	if len(f.args) > 0 {
		sku, ok = c.quoted(f, 0, "a product")
	}
	since, okSince := c.since(f, 1)
	if !ok || !okSince {
		return nil
	}
	return &bought{sku: sku, since: since}
}

func (c *checker) inList(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	name, ok := c.quoted(f, 0, "a list's name")
	if !ok {
		return nil
	}
	id, ok := c.catalog.lists[name]
	if !ok {
		return c.fail(f.args[0], "there is no list %q%s", shorten(name), didYouMean(name, c.catalog.Lists))
	}
	c.lists[id] = true
	return &onList{list: id}
}

// inSegment pulls in a saved segment's tree; a second use of the same one shares it.
func (c *checker) inSegment(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	name, ok := c.quoted(f, 0, "a segment's name")
	if !ok {
		return nil
	}
	expression, ok := c.catalog.segments[name]
	if !ok {
		return c.fail(f.args[0], "there is no segment %q%s", shorten(name), didYouMean(name, c.catalog.Segments))
	}
	if i := slices.Index(c.stack, name); i >= 0 {
		return c.fail(f.args[0], "the segment %q uses itself%s", shorten(name), through(c.stack[i+1:]))
	}
	s, ok := c.seen[name]
	if !ok {
		inner := &checker{catalog: c.catalog, now: c.now, total: new(int), seen: c.seen, lists: c.lists, stack: append(slices.Clone(c.stack), name)}
		s.root = inner.expression(expression)
		if len(inner.faults) > 0 {
			return c.fail(f.args[0], "the segment %q is not valid: %s", shorten(name), inner.faults[0].Message)
		}
		s.nodes = *inner.total
		c.seen[name] = s
	}
	if *c.total += s.nodes; *c.total > maxTotal {
		c.failTooLarge(f.at)
		return nil
	}
	return s.root
}

func through(names []string) string {
	if len(names) == 0 {
		return ""
	}
	s := " through "
	for i, n := range names {
		if i > 0 {
			s += ", "
		}
		s += strconv.Quote(shorten(n))
	}
	return s
}

func (c *checker) birthday(f call) node {
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
	for _, name := range []string{"birthday", "date_of_birth", "birth_date", "dob"} {
		if field := c.catalog.field(name); field != nil && field.cast == asTime {
			return &birthday{field: field, days: birthdays(c.now, length)}
		}
	}
	return c.fail(f.at, "no birthday is known: define an attribute of type date named birthday or date_of_birth")
}

func (c *checker) bucket(f call) node {
	if !c.arity(f, 3, 3) {
		return nil
	}
	seed, ok := c.quoted(f, 0, "a seed")
	from, okFrom := c.whole(f, 1, 0, 100)
	to, okTo := c.whole(f, 2, 0, 100)
	if !ok || !okFrom || !okTo {
		return nil
	}
	return &bucket{seed: seed, from: from, to: to}
}

func (c *checker) nth(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	n, ok := c.whole(f, 0, 1, 1_000_000_000)
	if !ok {
		return nil
	}
	return &nth{of: n}
}

// whole demands a literal whole number as argument i.
func (c *checker) whole(f call, i int, low, high int64) (int64, bool) {
	literal, ok := f.args[i].(*ast.IntegerNode)
	if !ok || int64(literal.Value) < low || int64(literal.Value) > high {
		c.fail(f.args[i], "%s needs a whole number from %d to %d here", f.name, low, high)
		return 0, false
	}
	return int64(literal.Value), true
}
