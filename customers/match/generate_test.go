package match

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// world makes people who live in households, and records of them with slips of the pen. Names, cities and streets are
// as uneven as they are in life: a few are common, most are rare.
type world struct {
	rng      *rand.Rand
	given    []string
	surnames []string
	streets  []string
	cities   []city
}

type city struct{ name, region, postcode string }

var worldHeader = []string{"record_no", "first_name", "last_name", "birth_date", "house_number", "street", "city", "postal_code", "state", "phone", "email"}

func newWorld(seed uint64, size int) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 7))}
	for name := range nicknameRoots {
		w.given = append(w.given, name)
	}
	sortStrings(w.given)
	for range 1500 {
		w.given = append(w.given, w.word(2))
	}
	for range 3000 + size/20 {
		w.surnames = append(w.surnames, w.word(2+w.rng.IntN(2)))
	}
	kinds := []string{"Street", "Road", "Avenue", "Lane", "Close"}
	for range 1000 + size/10 {
		w.streets = append(w.streets, title(w.word(2))+" "+kinds[w.rng.IntN(len(kinds))])
	}
	for range 100 + size/200 {
		w.cities = append(w.cities, city{title(w.word(2 + w.rng.IntN(2))), []string{"NSW", "VIC", "QLD", "WA", "SA"}[w.rng.IntN(5)], fmt.Sprintf("%05d", w.rng.IntN(100000))})
	}
	return w
}

func (w *world) word(syllables int) string {
	const first, second, third = "bcdfghklmnprstvw", "aeiou", "lnrst"
	var b strings.Builder
	for range syllables {
		b.WriteByte(first[w.rng.IntN(len(first))])
		b.WriteByte(second[w.rng.IntN(len(second))])
		if w.rng.IntN(2) == 0 {
			b.WriteByte(third[w.rng.IntN(len(third))])
		}
	}
	return b.String()
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// uneven picks one of n with the first ones far more common.
func (w *world) uneven(n int) int { return int(float64(n) * math.Pow(w.rng.Float64(), 3)) }

// records calls each with about n rows and the person behind each; a fifth of the people have further records.
func (w *world) records(n int, each func(row []string, person int)) {
	person, row := 0, 0
	for row < n {
		surname, c := w.surnames[w.uneven(len(w.surnames))], w.cities[w.uneven(len(w.cities))]
		number, street := strconv.Itoa(1+w.uneven(200)), w.streets[w.rng.IntN(len(w.streets))]
		landline := fmt.Sprintf("0%d", 200000000+w.rng.IntN(99999999))
		for k := range 1 + w.uneven(5) {
			given := w.given[w.uneven(len(w.given))]
			year := 1940 + w.rng.IntN(40)
			if k > 1 {
				year += 30
			}
			p := []string{"", title(given), title(surname), fmt.Sprintf("%d-%02d-%02d", year, 1+w.rng.IntN(12), 1+w.rng.IntN(28)), number, street, c.name, c.postcode, c.region,
				landline, fmt.Sprintf("%s.%s%d@%s.com", given, surname, w.rng.IntN(100), []string{"mail", "post", "web", "home"}[w.rng.IntN(4)])}
			copies := 1
			for copies < 5 && w.rng.IntN(5) == 0 {
				copies++
			}
			for copy := range copies {
				r := append([]string{}, p...)
				r[0] = strconv.Itoa(row + 1)
				if w.rng.IntN(3) == 0 {
					r[10] = ""
				}
				if w.rng.IntN(3) == 0 {
					r[9] = ""
				}
				if w.rng.IntN(3) == 0 {
					r[3] = ""
				}
				if copy > 0 {
					for range w.rng.IntN(4) {
						w.spoil(r)
					}
				}
				each(r, person)
				row++
			}
			person++
		}
	}
}

// spoil puts one fault into a record.
func (w *world) spoil(r []string) {
	f := 1 + w.rng.IntN(len(r)-1)
	v := []byte(r[f])
	switch k := w.rng.IntN(10); {
	case len(v) < 2 || k == 0:
		r[f] = ""
	case k == 1:
		r[1], r[2] = r[2], r[1]
	case k < 5:
		v[w.rng.IntN(len(v))] = "abcdefghijklmnopqrstuvwxyz0123456789"[w.rng.IntN(36)]
		r[f] = string(v)
	case k < 7:
		i := w.rng.IntN(len(v) - 1)
		v[i], v[i+1] = v[i+1], v[i]
		r[f] = string(v)
	case k < 9:
		i := w.rng.IntN(len(v))
		r[f] = string(v[:i]) + string(v[i+1:])
	default:
		r[1] = r[1][:min(1, len(r[1]))]
	}
}
