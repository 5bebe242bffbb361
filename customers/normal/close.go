package normal

import (
	"slices"
	"strings"
)

// SameStreet tells of two streets in normal form whether one may be the other with a slip of the pen. Numbers in the name
// and points of the compass are equal. The kind of street (st, rd, weg) is equal, or missing or misspelt in one of two names that
// are equal otherwise. Words may stand in another order or be written together; articles do not count. Names of five letters
// or more may have one slip, of ten or more two: a letter dropped, added, changed, or exchanged with its neighbour; up to seven letters
// the first one is equal.
func SameStreet(a, b string) bool {
	if a == b {
		return true
	}
	x, y := streetOf(a), streetOf(b)
	if x.compass != y.compass || x.digits != y.digits {
		return false
	}
	same := x.joined == y.joined || x.sorted == y.sorted
	if x.kind != y.kind {
		return (x.kind == "" || y.kind == "") && (same && len(x.joined) >= 4 || slip(x.joined+x.kind, y.joined+y.kind))
	}
	return same || slip(x.joined, y.joined)
}

// SameUnit tells whether two units are one: no, unless they are equal or differ by one letter in a long name. Where one is
// missing they are two homes: a house with many flats must not become one.
func SameUnit(a, b string) bool {
	return a == b || len(a) >= 6 && len(b) >= 6 && digitsOf(a) == digitsOf(b) && slip(a, b)
}

// SameSurname tells of two surnames in the form of FamilyName whether people at one residence may bear them as one household:
// they are a slip of the pen apart (as streets are), one is a part of the other's double name (of three letters or more), or
// one is the other's feminine form in Slavic languages.
func SameSurname(a, b string) bool {
	if a == b {
		return true
	}
	if a == "" || b == "" {
		return false
	}
	if slip(a, b) || feminine(a, b) || feminine(b, a) {
		return true
	}
	for x := range strings.SplitSeq(a, " ") {
		for y := range strings.SplitSeq(b, " ") {
			if len(x) >= 3 && x == y || (len(x) < len(a) || len(y) < len(b)) && slip(x, y) {
				return true
			}
		}
	}
	return false
}

func feminine(m, f string) bool {
	if len(m) < 4 || len(f) <= len(m)-1 || f[len(f)-1] != 'a' {
		return false
	}
	return f == m+"a" || f == m+"ova" || strings.HasSuffix(m, "y") && (f == m[:len(m)-1]+"a" || f == m[:len(m)-1]+"aya") ||
		strings.HasSuffix(m, "i") && f == m[:len(m)-1]+"a"
}

type streetParts struct{ kind, compass, digits, joined, sorted string }

// kinds are the words for a street, in their short forms.
var kinds = words("st ave rd dr ln ct pl blvd sq tce cres cct cir hwy pkwy cl gr gdns esp pde trl wy jct rue imp ch quai cours rte all calle via vle pza corso weg gasse ring damm " +
	"ufer hof gracht pln kade dijk ul row walk mews hill path alley")

// joinedKinds are those that are written in one with the name.
var joinedKinds = []string{"st", "weg", "gasse", "ring", "damm", "ufer", "hof", "all", "pl", "gracht", "kade", "dijk", "ln", "pln"}

var articles = words("the of de du des la le les l d der die das den dem del della dei van von am an im in auf et and und y")

var compass = words("n s e w ne nw se sw")

func streetOf(s string) streetParts {
	var p streetParts
	var room [8]string
	core := room[:0]
	all := strings.Split(s, " ")
	for i, w := range all {
		switch {
		case compass[w]:
			p.compass += w + " "
		case len(all) > 1 && p.kind == "" && (i == 0 || i == len(all)-1 || compass[all[len(all)-1]] && i == len(all)-2) && kinds[w]:
			p.kind = w
		case articles[w] && len(all) > 1:
		default:
			core = append(core, w)
		}
	}
	if p.kind == "" && len(core) > 0 {
		last := core[len(core)-1]
		for _, k := range joinedKinds {
			if stem := strings.TrimSuffix(last, k); stem != last && len(stem) >= 3 {
				p.kind, core[len(core)-1] = k, stem
				break
			}
		}
	}
	p.joined = strings.Join(core, "")
	p.digits = digitsOf(p.joined)
	slices.Sort(core)
	p.sorted = strings.Join(core, " ")
	return p
}

func digitsOf(s string) string {
	if !hasDigit(s) {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// slip tells whether two texts are as far apart as one slip, in a long text two.
func slip(a, b string) bool {
	if a == b || len(a) > 3 && len(b) > 3 && a[0] == b[0] && baseVowels.Replace(a) == baseVowels.Replace(b) { // Böhm and Bohm
		return true
	}
	x, y := []rune(a), []rune(b)
	shorter := min(len(x), len(y))
	switch {
	case shorter < 5 || max(len(x), len(y)) > 64:
		return false
	case shorter < 8 && x[0] != y[0]:
		return false
	case shorter < 10:
		return Slips(x, y, 1) <= 1
	}
	return Slips(x, y, 2) <= 2
}

// Slips counts the letters dropped, added, changed, or exchanged with their neighbour between two texts (optimal string
// alignment); above limit it gives limit+1.
func Slips(a, b []rune, limit int) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > limit {
		return limit + 1
	}
	if len(a) == 0 {
		return len(b)
	}
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		best := i
		for j := 1; j <= len(b); j++ {
			d := last[j-1]
			if a[i-1] != b[j-1] {
				d++
			}
			d = min(d, last[j]+1, now[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			now[j] = d
			best = min(best, d)
		}
		if best > limit {
			return limit + 1
		}
		before, last, now = last, now, before
	}
	return min(last[len(b)], limit+1)
}
