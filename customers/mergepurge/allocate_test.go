package mergepurge

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parse makes a group of a text such as "H1 A1 A1 B2": list and person, in the order of records; "!" marks one that is
// suppressed on its own account.
func parse(r *rules, text string) []member {
	var group []member
	for i, word := range strings.Fields(text) {
		m := member{record: int32(i), by: -1, rank: int32(i)}
		if word, found := strings.CutSuffix(word, "!"); found {
			m.hit = 1
			_ = word
		}
		for k, l := range r.lists {
			if l.name == word[:1] {
				m.list = k
			}
		}
		m.person = int32(word[1] - '0')
		group = append(group, m)
	}
	return group
}

func lists() []list {
	return []list{{House, "H", 1}, {House, "I", 2}, {Rented, "A", 3}, {Rented, "B", 4}, {Rented, "C", 4}, {Suppression, "S", 9}}
}

func TestAllocate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"A1":          "net on 1",
		"A1!":         "suppressed",
		"H1 A1":       "net on 1, house",
		"A1 H1":       "house, net on 1",
		"H1 A1 A1 B1": "net on 2, house, intra, house",
		"H1 H1 I1":    "net on 0, intra, inter",
		"I1 H1":       "inter, net on 0",
		"A1 A1 B1":    "net on 2, intra, inter",
		"B1 A1 A1":    "inter, net on 2, intra",
		"C1 B1":       "net on 2, inter", // a tie: the first record
		"B1 B1":       "net on 1, intra",
		"S1 H1 A1":    ", suppressed, suppressed",
		"H1 A1! B1":   "suppressed, suppressed, suppressed", // a copy is suppressed: so is the person
		"S1 H1 H2 A2": ", suppressed, net on 1, house",      // another of the household may be mailed
		"A1 B2":       "net on 2, inter (household)",
		"H1 A2 A3":    "net on 1, house (household), intra (household)",
		"A1! A2":      "suppressed, net on 1",
		"S1":          "",
		"S1 S1 A1":    ", , suppressed",
	} {
		r := &rules{lists: lists(), level: Household, allocation: Hierarchy}
		group := parse(r, text)
		out := make([]decision, len(group))
		r.allocate(group, out)
		var got []string
		for _, d := range out {
			switch d.verdict {
			case Net:
				got = append(got, fmt.Sprintf("net on %d", d.lists))
			case Duplicate:
				got = append(got, d.reason)
			default:
				got = append(got, d.verdict)
			}
		}
		if diff := cmp.Diff(want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestBestCustomer(t *testing.T) {
	t.Parallel()
	r := &rules{lists: lists(), level: Person, allocation: Hierarchy}
	group := parse(r, "H1 H1 H1")
	group[0].rank, group[1].rank, group[2].rank = 3, 1, 2
	out := make([]decision, 3)
	r.allocate(group, out)
	if out[1].verdict != Net || out[0].winner != 1 || out[2].winner != 1 {
		t.Errorf("%v", out)
	}
}

func TestSuppressedBy(t *testing.T) {
	t.Parallel()
	r := &rules{lists: lists(), level: Person, allocation: Hierarchy}
	group := parse(r, "A1! B1 S1 A2! A2")
	out := make([]decision, len(group))
	r.allocate(group, out)
	for i, want := range []struct {
		reason string
		hit    int32
		winner int32
	}{{"S", 0, 2}, {"S", 0, 2}, {"", 0, -1}, {"", 1, -1}, {"", 1, 3}} {
		if d := out[i]; d.reason != want.reason || d.hit != want.hit || d.winner != want.winner {
			t.Errorf("%d: %+v, want %+v", i, d, want)
		}
	}
}

// All three allocations must total the same, whatever the groups; the same seed gives the same.
func TestAllocationsTotalTheSame(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	byList := map[string][]int{}
	for n := range int32(3000) {
		var words []string
		for range 1 + rng.IntN(8) {
			words = append(words, fmt.Sprintf("%c%d", "HIAABBCCS"[rng.IntN(9)], rng.IntN(3)))
			if rng.IntN(20) == 0 {
				words[len(words)-1] += "!"
			}
		}
		text := strings.Join(words, " ")
		sums := map[string]string{}
		for _, allocation := range []string{Hierarchy, Random, RandomWithinHierarchy, Random + " again"} {
			r := &rules{lists: lists(), level: Household, allocation: strings.TrimSuffix(allocation, " again"), seed: 7}
			group := parse(r, text)
			for i := range group {
				group[i].record += 10 * n
			}
			out := make([]decision, len(group))
			r.allocate(group, out)
			net, suppressed, intra := 0, 0, make([]int, len(r.lists))
			var all []string
			if byList[allocation] == nil {
				byList[allocation] = make([]int, len(r.lists))
			}
			for i, d := range out {
				all = append(all, d.verdict+d.reason)
				switch {
				case d.verdict == Net:
					net++
					byList[allocation][group[i].list]++
				case d.verdict == Suppressed:
					suppressed++
				case strings.HasPrefix(d.reason, Intra):
					intra[group[i].list]++
				case d.verdict == "" && r.lists[group[i].list].kind != Suppression:
					t.Fatalf("%s: record %d has no verdict", text, i)
				}
			}
			if net > 1 {
				t.Fatalf("%s: %d stay", text, net)
			}
			sums[allocation] = fmt.Sprint(net, suppressed, intra)
			if allocation == Random {
				sums["all"] = fmt.Sprint(all)
			} else if allocation == Random+" again" && sums["all"] != fmt.Sprint(all) {
				t.Fatalf("%s: the same seed gives something else", text)
			}
		}
		if sums[Hierarchy] != sums[Random] || sums[Random] != sums[RandomWithinHierarchy] {
			t.Fatalf("%s: %v", text, sums)
		}
	}
	h, r, w := byList[Hierarchy], byList[Random], byList[RandomWithinHierarchy]
	if h[0] != r[0] || h[1] != w[1] || r[2] >= h[2] || w[2] != h[2] || w[4] < w[3]*8/10 || w[4] > w[3]*12/10 {
		t.Errorf("net by list: hierarchy %v, random %v, random within hierarchy %v", h, r, w)
	}
}
