package mergepurge

import (
	"cmp"
	"slices"
)

// board holds what has to be known of every record at once while they are allocated: some thirty bytes each. Records are
// counted from 0 here.
type board struct {
	run     *Run
	first   []int32 // by input, in the order of records: its first record
	n       int32
	person  []int32 // forests: each record's parent; a root is the lowest record of its tree
	group   []int32 // persons joined at the run's level; the same as person at level person
	hit     []int32 // index of reasons, 0 for none
	by      []int32
	rank    map[int32]int32 // of house names that are several in a group
	reasons []string
	ids     map[string]int32 // of reasons
}

func newBoard(run *Run) *board {
	b := &board{run: run, reasons: []string{""}, ids: map[string]int32{"": 0}, rank: map[int32]int32{}}
	for _, in := range run.Inputs {
		b.first = append(b.first, b.n)
		b.n += int32(in.Rows)
	}
	b.person = forest(b.n)
	b.group = b.person
	if run.Level != Person {
		b.group = forest(b.n)
	}
	b.hit, b.by = make([]int32, b.n), make([]int32, b.n)
	return b
}

func forest(n int32) []int32 {
	f := make([]int32, n)
	for i := range f {
		f[i] = int32(i)
	}
	return f
}

func root(f []int32, i int32) int32 {
	for f[i] != i {
		f[i] = f[f[i]]
		i = f[i]
	}
	return i
}

func join(f []int32, a, b int32) {
	a, b = root(f, a), root(f, b)
	f[max(a, b)] = min(a, b)
}

// joinPersons says that two records are one person.
func (b *board) joinPersons(x, y int32) {
	join(b.person, x, y)
	if b.run.Level != Person {
		join(b.group, x, y)
	}
}

// list gives the index of the input that a record belongs to.
func (b *board) list(record int32) int {
	i, found := slices.BinarySearchFunc(b.first, record, func(first, r int32) int { return cmp.Compare(first, r) })
	if !found {
		return i - 1
	}
	for i+1 < len(b.first) && b.first[i+1] == record { // inputs without rows begin where the next one does
		i++
	}
	return i
}

func (b *board) isHouse(record int32) bool { return b.run.Inputs[b.list(record)].Kind == House }

// suppress notes why a record is suppressed on its own account; the first reason stays.
func (b *board) suppress(record int32, reason string, by int32) {
	if b.hit[record] != 0 {
		return
	}
	id, known := b.ids[reason]
	if !known {
		id = int32(len(b.reasons))
		b.reasons = append(b.reasons, reason)
		b.ids[reason] = id
	}
	b.hit[record], b.by[record] = id, by
}

// groups calls do for every group of two records or more, and for single records that are suppressed; members are in
// order. It stops with do's error. The slice is used again.
func (b *board) groups(do func(members []int32) error) error {
	next, tail := make([]int32, b.n), make([]int32, b.n) // chains of each root's records
	for i := range b.n {
		r := root(b.group, i)
		if r != i {
			next[tail[r]] = i
		}
		tail[r] = i
	}
	var members []int32
	for i := range b.n {
		if b.group[i] != i || tail[i] == i && b.hit[i] == 0 {
			continue
		}
		members = append(members[:0], i)
		for m := next[i]; m != 0; m = next[m] {
			members = append(members, m)
		}
		if err := do(members); err != nil {
			return err
		}
	}
	return nil
}

func (b *board) member(record int32) member {
	return member{record: record, list: b.list(record), person: root(b.person, record), rank: b.rank[record], hit: b.hit[record], by: b.by[record]}
}

func (b *board) rules() *rules {
	r := &rules{level: b.run.Level, allocation: b.run.Allocation, seed: b.run.Seed}
	for _, in := range b.run.Inputs {
		r.lists = append(r.lists, list{in.Kind, in.Name, in.Priority})
	}
	return r
}
