package segments

import "slices"

// What a condition consists of.

// parts gives the nodes directly within a node; ok is false for kinds that are not looked into.
func parts(n node) (within []node, ok bool) {
	switch n := n.(type) {
	case *constant, *aggregate:
		return nil, true
	case *compare:
		return []node{n.left, n.right}, true
	case *junction:
		return n.parts, true
	case *inverse:
		return []node{n.of}, true
	case *choice:
		return []node{n.cond, n.yes, n.no}, true
	case *fallback:
		return []node{n.left, n.right}, true
	case *arithmetic:
		return []node{n.left, n.right}, true
	case *negated:
		return []node{n.of}, true
	case *shift:
		return []node{n.left}, true
	case *distance:
		return []node{n.left, n.right}, true
	case *isKnown:
		return []node{n.of}, true
	case *oneOf:
		return append([]node{n.left}, n.others...), true
	case *concat:
		return []node{n.left, n.right}, true
	case *textTest:
		return []node{n.left, n.right}, true
	case *match:
		return []node{n.left}, true
	case *calendarPart: // in the customer's time zone
		return []node{n.of}, false
	case *anniversary:
		return []node{n.of}, false
	}
	return nil, false
}

// each visits a node and all within it.
func each(n node, visit func(node)) {
	visit(n)
	within, _ := parts(n)
	for _, part := range within {
		each(part, visit)
	}
}

// outermost gives the conditions all of which have to hold, or must not.
func outermost(root node) []node {
	within := []node{root}
	if all, ok := root.(*junction); ok && !all.or {
		within = slices.Clone(all.parts)
	}
	for i, n := range within {
		if not, ok := n.(*inverse); ok {
			within[i] = not.of
		}
	}
	return within
}
