package segments

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"aldine/internal/fault"
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
			if c.catalog.reader && (c.catalog.namesPrivate(expression) || slices.ContainsFunc(inner.faults, func(f fault.Field) bool { return strings.Contains(f.Message, privateSegment) })) {
				return c.fail(f.args[0], "the segment %q %s, which your role may not use", shorten(name), privateSegment)
			}
			return c.failWithin(f.args[0], name, inOrder(inner.faults))
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

// failWithin tells all that is wrong with a saved segment, and where in it.
func (c *checker) failWithin(at ast.Node, name string, faults []fault.Field) node {
	for _, of := range faults {
		before := len(c.faults)
		if of.Segment == "" {
			c.fail(at, "the segment %q is not valid: %s (its line %d, column %d)", shorten(name), of.Message, of.Line, of.Column)
			of.Segment = name
		} else {
			c.fail(at, "the segment %q is not valid: %s", shorten(name), of.Message)
		}
		if len(c.faults) > before { // not so many that the rest is left out
			c.faults[before].Segment = of.Segment
		}
	}
	return nil
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
