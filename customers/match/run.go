package match

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// Options of a run.
type Options struct {
	Threshold float64 // probability from which a pair is a match; 0 means DefaultThreshold
	Review    float64 // probability from which a pair is kept for review; 0 means DefaultReview
	Block     bool    // use blocking even where the file is small enough to compare all pairs
}

// The thresholds that are used unless others are given.
const (
	DefaultThreshold = 0.5
	DefaultReview    = 0.05
)

// Result is what a run found.
type Result struct {
	Model      *Model
	Passes     []Pass
	Candidates int // pairs that were compared
	Review     int // links between the two thresholds
	Seconds    float64

	table     *Table
	threshold float32 // in bits
	memo      memo
	links     []link
	clusters  [][]int32 // of nodes, those with more than one row
}

// Pass says how many candidates one way of blocking added.
type Pass struct {
	Name       string
	Candidates int
}

// link is a pair of nodes with its log odds.
type link struct {
	i, j int32
	bits float32
}

// finding is what one worker found.
type finding struct {
	links    []link
	compared int
}

func logit(p float64) float32 { return float32(math.Log2(p / (1 - p))) }

// usual gives the options with the usual thresholds in the place of those that are not given.
func (o Options) usual() Options {
	if o.Threshold <= 0 || o.Threshold >= 1 {
		o.Threshold = DefaultThreshold
	}
	if o.Review <= 0 || o.Review >= 1 {
		o.Review = DefaultReview
	}
	o.Review = min(o.Review, o.Threshold)
	return o
}

// Run matches the rows of t. It fails only if ctx ends. Afterwards no more rows can be added.
func Run(ctx context.Context, t *Table, o Options) (*Result, error) {
	begun := time.Now()
	o = o.usual()
	t.seal()
	r := &Result{table: t, threshold: logit(o.Threshold)}
	all := t.allBlocks(o.Block)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.Model = t.learn(all)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	low := logit(o.Review)
	memos := [workerCount]memo{newMemo(), newMemo()}
	for k, b := range all.passes {
		n := 0
		for found := range workers(func(w int) (f finding) {
			all.pairs(k, w, workerCount, func(i, j int32) {
				if !t.counted(i, j) {
					return
				}
				f.compared++
				if bits := r.Model.score(t, i, j, low, memos[w]); bits >= low {
					f.links = append(f.links, link{i, j, bits})
				}
			})
			return f
		}) {
			r.links = append(r.links, found.links...)
			n += found.compared
		}
		r.Passes = append(r.Passes, Pass{b.name, n})
		r.Candidates += n
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(r.links, func(a, b link) int {
		return cmp.Or(cmp.Compare(b.bits, a.bits), cmp.Compare(a.i, b.i), cmp.Compare(a.j, b.j))
	})
	r.links = slices.CompactFunc(r.links, func(a, b link) bool { return a.i == b.i && a.j == b.j })
	for _, l := range r.links {
		if l.bits < r.threshold {
			r.Review++
		}
	}
	r.memo = memos[0]
	r.cluster()
	r.Seconds = time.Since(begun).Seconds()
	return r, ctx.Err()
}

func (t *Table) allBlocks(force bool) *blocking {
	if len(t.nodes) <= smallFile && !force {
		return t.join([]*blocks{t.everything()})
	}
	made := make([]*blocks, len(passes))
	var wait sync.WaitGroup
	slots := make(chan struct{}, workerCount)
	for k := range passes {
		wait.Add(1)
		go func() {
			defer wait.Done()
			slots <- struct{}{}
			made[k] = t.makeBlocks(passes[k], pairsPerNode, leastPairs)
			<-slots
		}()
	}
	wait.Wait()
	return t.join(slices.DeleteFunc(made, func(b *blocks) bool { return b == nil }))
}

const workerCount = 2

// workers runs f for each worker number at the same time and gives the results in that order.
func workers[T any](f func(w int) T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		out := make([]T, workerCount)
		var wait sync.WaitGroup
		for w := range out {
			wait.Add(1)
			go func() {
				defer wait.Done()
				out[w] = f(w)
			}()
		}
		wait.Wait()
		for _, v := range out {
			if !yield(v) {
				return
			}
		}
	}
}

// score gives the log odds of a pair in bits, or less than low as soon as it is sure that they are.
func (m *Model) score(t *Table, i, j int32, low float32, memo memo) float32 {
	a, b := &t.nodes[i], &t.nodes[j]
	names, lines, surname, line2 := t.swapping(a, b)
	// First what equality alone tells, with the best that could come of the rest.
	var s signature
	var open [fields]bool
	bound := m.prior
	for f := range fields {
		x, y := a[f], b[f]
		switch {
		case names && f == Given, lines && f == Street:
			s.at[f] = uint8(Swapped)
		case names && f == Surname:
			s.at[f] = surname
		case lines && f == Street2:
			s.at[f] = line2
		case x == 0 || y == 0:
			continue
		case x == y:
			s.at[f] = t.codes[f][x]
		default:
			open[f] = true
			bound += max(m.best[f], 0)
			continue
		}
		bound += m.weight[f][s.at[f]]
	}
	for _, f := range order {
		if !open[f] {
			continue
		}
		if bound < low {
			return bound
		}
		s.at[f], s.common[f] = uint8(t.level(f, a[f], b[f], memo)), t.commonest(f, a[f], b[f])
		bound += m.plain(&s, f) - max(m.best[f], 0)
	}
	if bound < low {
		return bound
	}
	return m.prior + m.evidence(&s)
}

// full gives the weight of the evidence for a pair, without the prior.
func (m *Model) full(t *Table, i, j int32, memo memo) float32 {
	s := t.sign(i, j, memo)
	return m.evidence(&s)
}
