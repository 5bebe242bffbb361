package segments

// A sample does not tell who is among the top n of all: an estimate asks something simpler, which differs by n at most.

// ranks says how top is written.
type ranks uint8

const (
	exactly ranks = iota
	ranked        // who is ranked counts as being at the top
	nobody
)

// ranking is how the estimate of an expression follows from a sample's.
type ranking struct {
	as     ranks
	n      int64 // the least, or of nobody the sum
	alone  bool  // the expression is top and nothing else
	ranked bool
}

func (c *Compiled) ranking() ranking {
	if !c.ranked {
		return ranking{}
	}
	outermost := []node{c.root}
	if all, ok := c.root.(*junction); ok && !all.or {
		outermost = all.parts
	}
	upper := ranking{as: ranked, ranked: true, alone: len(outermost) == 1}
	var within []*top
	for _, n := range outermost {
		t, ok := n.(*top)
		if !ok {
			within = tops(n, within)
			continue
		}
		if upper.n == 0 || t.n < upper.n {
			upper.n = t.n
		}
		if t.among != nil {
			within = tops(t.among, within)
		}
	}
	if len(within) == 0 {
		return upper
	}
	var sum int64
	for _, t := range tops(c.root, nil) {
		sum += t.n
	}
	return ranking{as: nobody, n: sum, ranked: true}
}

// tops collects the rankings within a node.
func tops(n node, into []*top) []*top {
	if t, ok := n.(*top); ok {
		if into = append(into, t); t.among != nil {
			into = tops(t.among, into)
		}
		return into
	}
	within, _ := parts(n)
	for _, part := range within {
		into = tops(part, into)
	}
	return into
}

func (r ranking) limit(c Count, all int64) Count {
	switch {
	case !r.ranked:
	case r.as == nobody:
		c.Low, c.High = max(0, c.Low-r.n), min(all, c.High+r.n)
	case r.alone:
		c.Count, c.Low, c.High = min(c.Count, r.n), min(c.Low, r.n), min(c.High, r.n)
	default: // of those at the top some meet the rest
		if c.High = min(c.High, r.n); c.Count > r.n {
			c.Count = r.n / 2
		}
		if c.Low = 0; c.Count > c.High {
			c.Count = c.High
		}
	}
	return c
}

// unranked writes the simpler question.
func (n *top) unranked(w *writer) {
	if w.ranks == nobody {
		w.text("FALSE")
		return
	}
	w.text("(")
	w.admit()
	if n.among != nil {
		w.text(" AND ")
		n.among.sql(w)
	}
	w.text(" AND ")
	w.value(n.score)
	w.text(" IS NOT NULL)")
}
