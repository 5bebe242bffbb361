package segments

import (
	"slices"
	"strconv"
	"strings"
)

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
	key := inner{name: name, now: c.now, asOf: c.asOf, member: c.inMember}
	s, ok := c.seen[key]
	if !ok {
		inner := &checker{catalog: c.catalog, now: c.now, until: c.until, asOf: c.asOf, inMember: c.inMember, total: new(int), scans: new(int), seen: c.seen,
			lists: c.lists, stack: append(slices.Clone(c.stack), name)}
		s.root = inner.expression(expression)
		if len(inner.faults) > 0 {
			if c.catalog.reader && (c.catalog.namesPrivate(expression) || strings.Contains(inner.faults[0].Message, privateSegment)) {
				return c.fail(f.args[0], "the segment %q %s, which your role may not use", shorten(name), privateSegment)
			}
			return c.fail(f.args[0], "the segment %q is not valid: %s", shorten(name), inner.faults[0].Message)
		}
		s.nodes, s.scans, s.ranked = *inner.total, *inner.scans, inner.ranked
		c.seen[key] = s
	}
	c.ranked = c.ranked || s.ranked
	if *c.scans += s.scans; *c.scans > maxScans {
		return c.fail(f.at, "the expression asks too much: with the segments it uses it looks at behaviour more than %d times", maxScans)
	}
	if *c.total += s.nodes; *c.total > maxTotal {
		c.failTooLarge(f.at)
		return nil
	}
	return s.root
}

// privateSegment is what is said of a segment to those who may not see what it says.
const privateSegment = "asks for private attributes"

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
