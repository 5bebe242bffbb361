package match

import (
	"math/bits"
	"unicode/utf8"
)

// maxCompared is how many characters of two values are compared, so that long ones cost no more.
const maxCompared = 64

// Bits of a mask that say something of the whole text.
const (
	foreign = 1 << 63 // it is not all ASCII
	spaced  = 1 << 62 // it has several words
)

// maskOf gives the set of a text's characters, to tell cheaply that two texts are far apart.
func maskOf(s string) (mask uint64) {
	n := 0
	for _, r := range s {
		if r >= utf8.RuneSelf {
			mask |= foreign
		}
		if n++; n > maxCompared {
			break
		}
		switch {
		case r >= 'a' && r <= 'z':
			mask |= 1 << (r - 'a')
		case r >= '0' && r <= '9':
			mask |= 1 << (26 + r - '0')
		case r == ' ':
			mask |= spaced
		default:
			mask |= 1 << (36 + uint32(r)%26)
		}
	}
	return mask
}

// apart gives a lower bound of the slips between two texts by their masks.
func apart(a, b uint64) int {
	const letters = spaced - 1
	return max(bits.OnesCount64(a&^b&letters), bits.OnesCount64(b&^a&letters))
}

// slips counts the letters dropped, added, changed, or exchanged with their neighbour between two texts; above limit
// it gives limit+1.
func slips(a, b *value, limit int) int {
	x, y := a.text, b.text
	if apart(a.mask, b.mask) > limit {
		return limit + 1
	}
	if (a.mask|b.mask)&foreign != 0 {
		return osa(runes(x), runes(y), limit)
	}
	if abs(int32(min(len(x), maxCompared)-min(len(y), maxCompared))) > int32(limit) {
		return limit + 1
	}
	var p, q [maxCompared]byte
	return osa(p[:copy(p[:], x)], q[:copy(q[:], y)], limit)
}

func runes(s string) []rune {
	r := []rune(s)
	return r[:min(len(r), maxCompared)]
}

// osa is the optimal string alignment distance, in a band as wide as limit allows.
func osa[T byte | rune](a, b []T, limit int) int {
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
	var rows [3][maxCompared + 1]uint8
	before, last, now := &rows[0], &rows[1], &rows[2]
	for j := 0; j <= len(b); j++ {
		last[j] = uint8(j)
	}
	for i := 1; i <= len(a); i++ {
		from, to := max(1, i-limit), min(len(b), i+limit)
		now[from-1] = uint8(min(i, 100))
		if from > 1 {
			now[from-1] = 100
		}
		best := now[from-1]
		for j := from; j <= to; j++ {
			cost := uint8(1)
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := last[j-1] + cost
			if j < i+limit {
				d = min(d, last[j]+1)
			}
			d = min(d, now[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			now[j] = d
			best = min(best, d)
		}
		if int(best) > limit {
			return limit + 1
		}
		before, last, now = last, now, before
	}
	return min(int(last[len(b)]), limit+1)
}

// likeness is the Jaro-Winkler similarity, 0 to 1; 0 also where it is sure to be under least.
func likeness(v, w *value, least float64) float64 {
	if (v.mask|w.mask)&foreign != 0 {
		return jaroWinkler(runes(v.text), runes(w.text), least)
	}
	a, b := v.text[:min(len(v.text), maxCompared)], w.text[:min(len(w.text), maxCompared)]
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	prefix := 0
	for prefix < min(4, len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}
	// Letters that only one of them has cannot match.
	most := float64(min(len(a)-bits.OnesCount64(v.mask&^w.mask), len(b)-bits.OnesCount64(w.mask&^v.mask)))
	jaro := (most/float64(len(a)) + most/float64(len(b)) + 1) / 3
	if jaro+float64(prefix)*0.1*(1-jaro) < least {
		return 0
	}
	var x, y [maxCompared]byte
	return jaroWinkler(x[:copy(x[:], a)], y[:copy(y[:], b)], least)
}

func jaroWinkler[T byte | rune](a, b []T, least float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	window := max(max(len(a), len(b))/2-1, 0)
	var inA, inB uint64
	matches := 0
	for i := range len(a) {
		c := a[i]
		for j := max(0, i-window); j < min(len(b), i+window+1); j++ {
			if inB&(1<<j) == 0 && b[j] == c {
				inA |= 1 << i
				inB |= 1 << j
				matches++
				break
			}
		}
	}
	if matches == 0 {
		return 0
	}
	exchanged := 0
	for restA, restB := inA, inB; restA != 0; restA, restB = restA&(restA-1), restB&(restB-1) {
		if a[bits.TrailingZeros64(restA)] != b[bits.TrailingZeros64(restB)] {
			exchanged++
		}
	}
	m := float64(matches)
	if (m/float64(len(a))+m/float64(len(b))+1)/3*0.6+0.4 < least {
		return 0
	}
	jaro := (m/float64(len(a)) + m/float64(len(b)) + (m-float64(exchanged/2))/m) / 3
	prefix := 0
	for prefix < min(4, len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}
	return jaro + float64(prefix)*0.1*(1-jaro)
}
