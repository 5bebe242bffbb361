package mergepurge

import (
	"fmt"
	"math"
)

// list is what allocation knows of an input.
type list struct {
	kind     string
	name     string
	priority int
}

// rules decide a group of records that are one name at the run's level.
type rules struct {
	lists      []list // by input, in the order of records
	level      string
	allocation string
	seed       int64
}

// member is one record of a group; groups are ordered by record.
type member struct {
	record int32 // from 0, over all inputs
	list   int   // index of lists
	person int32 // members with the same one are one person
	rank   int32 // among house names of a group: the lowest is the best customer
	hit    int32 // why the record is suppressed on its own account, 0 if it is not
	by     int32 // the record that suppresses it so, -1 where that is no record
}

// decision is what becomes of a member.
type decision struct {
	verdict string // net, suppressed, duplicate; "" for a suppression file's row
	reason  string // of a duplicate, and of one suppressed by a file as a person
	hit     int32  // of one suppressed on its own account or that of a copy
	winner  int32
	lists   int // of net
}

// allocate decides a group; out has a place for each member. What the rules are:
//
//   - A person whom a suppression file names, or one of whose copies is suppressed, is suppressed with all copies.
//   - Of the others one stays: a house name before any rented one, of the first house list, the best customer; else
//     the first record of the rented list that the allocation chooses.
//   - Of each list one more record counts as on another list (inter), or as in the house (house); what the list has
//     beyond that is its own duplicates (intra). So the sums are the same whatever the allocation.
func (r *rules) allocate(group []member, out []decision) {
	suppressed := r.suppress(group, out)
	winner := r.winner(group, suppressed)
	if winner < 0 {
		return
	}
	keepers := map[int]int{} // by list: the record that is no duplicate within the list
	rented := 0
	for i := range group {
		m := &group[i]
		if suppressed(m) || r.lists[m.list].kind == Suppression {
			continue
		}
		k, known := keepers[m.list]
		if !known && r.lists[m.list].kind == Rented {
			rented++
		}
		if !known || i == winner || k != winner && r.better(m, &group[k]) {
			keepers[m.list] = i
		}
	}
	house := r.lists[group[winner].list].kind == House
	for i := range group {
		m := &group[i]
		if suppressed(m) || r.lists[m.list].kind == Suppression {
			continue
		}
		if i == winner {
			out[i] = decision{verdict: Net, winner: -1, lists: rented}
			continue
		}
		kept, reason := winner, Inter
		switch {
		case keepers[m.list] != i:
			kept, reason = keepers[m.list], Intra
		case house && r.lists[m.list].kind == Rented:
			reason = HouseMatch
		}
		if group[kept].person != m.person {
			reason += " (" + r.level + ")"
		}
		out[i] = decision{verdict: Duplicate, reason: reason, winner: group[winner].record}
	}
}

// suppress decides who is suppressed and gives a function that tells so.
func (r *rules) suppress(group []member, out []decision) func(*member) bool {
	var by map[int32]*member // what suppresses a person
	for i := range group {
		m := &group[i]
		out[i] = decision{winner: -1}
		entry := r.lists[m.list].kind == Suppression
		if !entry && m.hit == 0 {
			continue
		}
		if by == nil {
			by = map[int32]*member{}
		}
		// A file that names the person comes before what is known by an address or number.
		if old := by[m.person]; old == nil || entry && r.lists[old.list].kind != Suppression {
			by[m.person] = m
		}
	}
	for i := range group {
		m := &group[i]
		if r.lists[m.list].kind == Suppression {
			continue
		}
		switch e := by[m.person]; {
		case e == nil:
		case r.lists[e.list].kind == Suppression:
			out[i] = decision{verdict: Suppressed, reason: r.lists[e.list].name, winner: e.record}
		case m.hit != 0:
			out[i] = decision{verdict: Suppressed, hit: m.hit, winner: m.by}
		case e.by >= 0:
			out[i] = decision{verdict: Suppressed, hit: e.hit, winner: e.by}
		default:
			out[i] = decision{verdict: Suppressed, hit: e.hit, winner: e.record}
		}
	}
	return func(m *member) bool { return by[m.person] != nil }
}

// winner gives the member that stays, -1 if none does.
func (r *rules) winner(group []member, suppressed func(*member) bool) int {
	best, tier := -1, math.MaxInt
	for i := range group {
		m := &group[i]
		if suppressed(m) || r.lists[m.list].kind == Suppression {
			continue
		}
		if best < 0 || r.better(m, &group[best]) {
			best = i
		}
		if l := r.lists[m.list]; l.kind == Rented {
			tier = min(tier, l.priority)
		}
	}
	if best < 0 || r.lists[group[best].list].kind == House || r.allocation == Hierarchy {
		return best
	}
	chosen, lot := -1, uint64(0)
	for i := range group {
		m := &group[i]
		l := r.lists[m.list]
		if suppressed(m) || l.kind != Rented || r.allocation == RandomWithinHierarchy && l.priority != tier {
			continue
		}
		// The first record of a list draws for it.
		if n := r.draw(group[0].record, m.list); chosen < 0 || n < lot {
			chosen, lot = i, n
		}
	}
	return chosen
}

// better orders by house before rented, then by the lists' priority, then the best customer or the first record.
func (r *rules) better(a, b *member) bool {
	x, y := &r.lists[a.list], &r.lists[b.list]
	if (x.kind == House) != (y.kind == House) {
		return x.kind == House
	}
	if x.priority != y.priority {
		return x.priority < y.priority
	}
	if x.kind == House && a.rank != b.rank {
		return a.rank < b.rank
	}
	return a.record < b.record
}

// draw gives a list's lot for a group: the same seed gives the same lots.
func (r *rules) draw(group int32, list int) uint64 {
	h := uint64(r.seed)
	for _, v := range [...]uint64{uint64(group) + 1, uint64(list) + 1} {
		h += v * 0x9e3779b97f4a7c15 // splitmix64
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

func (d *decision) String() string {
	if d.reason == "" {
		return d.verdict
	}
	return fmt.Sprintf("%s: %s", d.verdict, d.reason)
}
