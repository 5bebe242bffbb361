package match

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// Files like the public ones that are not at hand: their headers, how many records one person has, and how faulty those
// are. All are matched with one setting.

// lookalike is such a file, or two.
type lookalike struct {
	name      string
	header    []string
	rows      [][]string
	entity    []int
	second    int // the first row of the second file; 0 for one file
	precision float64
	f1        float64
}

// slip puts a fault into a text, as a typist, a reader of handwriting or a form would.
func (w *world) slip(s string) string {
	r := []rune(s)
	if len(r) == 0 {
		return s
	}
	i := w.rng.IntN(len(r))
	switch w.rng.IntN(6) {
	case 0:
		return string(r[:i]) + string(r[i+1:])
	case 1:
		return string(r[:i]) + string(rune('a'+w.rng.IntN(26))) + string(r[i:])
	case 2:
		r[i] = rune('a' + w.rng.IntN(26))
		if s[0] >= '0' && s[0] <= '9' {
			r[i] = rune('0' + w.rng.IntN(10))
		}
		return string(r)
	case 3:
		if i+1 < len(r) {
			r[i], r[i+1] = r[i+1], r[i]
		}
		return string(r)
	case 4:
		for _, p := range [][2]string{{"ph", "f"}, {"ck", "k"}, {"ie", "y"}, {"c", "k"}, {"i", "e"}, {"ee", "ea"}, {"n", "m"}, {"5", "s"}, {"1", "l"}, {"0", "o"}} {
			if strings.Contains(s, p[0]) {
				return strings.Replace(s, p[0], p[1], 1)
			}
		}
		return s + "s"
	}
	return string(r[:max(1, len(r)-1)])
}

// spoilAll puts faults into some of a row's fields from the first on: at most each faults in one field.
func (w *world) spoilAll(row []string, first, faults, each int) []string {
	out := append([]string{}, row...)
	times := map[int]int{}
	for range faults {
		f := first + w.rng.IntN(len(row)-first)
		if times[f]++; times[f] > each {
			continue
		}
		switch w.rng.IntN(12) {
		case 0:
			out[f] = ""
		case 1:
			if w.rng.IntN(4) == 0 {
				out[1], out[2] = out[2], out[1]
			} else {
				out[f] = w.slip(out[f])
			}
		case 2:
			if words := strings.Fields(out[f]); len(words) > 1 {
				words[0], words[1] = words[1], words[0]
				out[f] = strings.Join(words, " ")
			}
		default:
			out[f] = w.slip(out[f])
		}
	}
	return out
}

func (w *world) birth(from, to int) (y, m, d int) {
	return from + w.rng.IntN(to-from), 1 + w.rng.IntN(12), 1 + w.rng.IntN(28)
}

func (w *world) blank(row []string, share float64, from ...int) {
	for _, f := range from {
		if w.rng.Float64() < share {
			row[f] = ""
		}
	}
}

// add adds the records of one more person or business.
func (l *lookalike) add(entity int, rows ...[]string) {
	for _, r := range rows {
		l.rows = append(l.rows, r)
		l.entity = append(l.entity, entity)
	}
}

// febrlLike has one original and up to most further records of a person, with up to faults faults each.
func febrlLike(seed uint64, people, most, faults int, two bool) lookalike {
	w := newWorld(seed, people)
	l := lookalike{name: fmt.Sprintf("febrl-like, %d more, %d faults", most, faults), header: []string{"rec_id", "given_name", "surname", "street_number", "address_1", "address_2", "suburb",
		"postcode", "state", "date_of_birth", "soc_sec_id"}, precision: 0.98, f1: 0.97}
	var second [][]string
	var of []int
	for p := range people {
		y, m, d := w.birth(1900, 2000)
		c := w.cities[w.uneven(len(w.cities))]
		row := []string{"", w.given[w.uneven(len(w.given))], w.surnames[w.uneven(len(w.surnames))], strconv.Itoa(1 + w.uneven(300)), w.streets[w.rng.IntN(len(w.streets))], w.word(3),
			c.name, c.postcode[:4], c.region, fmt.Sprintf("%d%02d%02d", y, m, d), strconv.Itoa(1000000 + w.rng.IntN(9000000))}
		w.blank(row, 0.02, 1, 2, 3, 4, 9)
		w.blank(row, 0.3, 5)
		row[0] = fmt.Sprintf("rec-%d-org", p)
		l.add(p, row)
		for k := range 1 + w.rng.IntN(most) {
			r := w.spoilAll(row, 1, 1+w.rng.IntN(faults), 3)
			r[0] = fmt.Sprintf("rec-%d-dup-%d", p, k)
			if two {
				second, of = append(second, r), append(of, p)
			} else if most > 1 || w.rng.IntN(2) == 0 {
				l.add(p, r)
			}
		}
	}
	if two {
		l.second = len(l.rows)
		l.name += ", two files"
		for i, r := range second {
			l.add(of[i], r)
		}
	}
	return l
}

// namesAndBirth has no more than names in two parts and the date of birth in three, as in German registers.
func namesAndBirth() lookalike {
	w := newWorld(11, 4000)
	l := lookalike{name: "names and birth", header: []string{"rec_id", "fname_c1", "fname_c2", "lname_c1", "lname_c2", "by", "bm", "bd", "ent_id"}, precision: 0.90, f1: 0.92}
	for p := range 9000 {
		y, m, d := w.birth(1920, 2005)
		row := []string{"", strings.ToUpper(w.given[w.uneven(400)]), "NA", strings.ToUpper(w.surnames[w.uneven(900)]), "NA", strconv.Itoa(y), strconv.Itoa(m), strconv.Itoa(d), strconv.Itoa(p)}
		l.add(p, row)
		if p%9 == 0 {
			r := append([]string{}, row...)
			f := []int{1, 3, 3, 1, 5, 6, 7}[w.rng.IntN(7)]
			if f < 5 {
				r[f] = strings.ToUpper(w.slip(r[f]))
			} else {
				r[f] = strconv.Itoa(max(1, []int{y, m, d}[f-5]+w.rng.IntN(7)-3))
			}
			l.add(p, r)
		}
	}
	return l
}

// historical is people of the past from several sources: clusters up to ten, much missing, years alone.
func historical() lookalike {
	w := newWorld(12, 4000)
	l := lookalike{name: "historical", header: []string{"unique_id", "cluster", "full_name", "first_and_surname", "first_name", "surname", "dob", "birth_place", "postcode_fake", "gender", "occupation"},
		precision: 0.9, f1: 0.85}
	jobs := []string{"politician", "writer", "artist", "", "", "military officer", "clergyman", "", "scientist", "", "rower", "cricketer"}
	for p := range 2500 {
		y, m, d := w.birth(1700, 1900)
		if w.rng.IntN(5) == 0 {
			m, d = 1, 1
		}
		c := w.cities[w.uneven(len(w.cities))]
		given, middle, surname := w.given[w.uneven(500)], w.given[w.uneven(500)], w.surnames[w.uneven(2000)]
		post := fmt.Sprintf("%s%d %d%s", strings.ToLower(c.name[:2]), w.rng.IntN(30), w.rng.IntN(9), w.word(1)[:2])
		job := jobs[w.rng.IntN(len(jobs))]
		copies := 1 + w.uneven(10)
		for k := range copies {
			full := given + " " + middle + " " + surname
			if w.rng.IntN(3) == 0 {
				full = given + " " + surname
			}
			row := []string{fmt.Sprintf("Q%d-%d", p, k), fmt.Sprintf("Q%d", p), title(full), given + " " + surname, given, surname, fmt.Sprintf("%d-%02d-%02d", y, m, d), strings.ToLower(c.name), post,
				[]string{"male", "female"}[p%2], job}
			if k > 0 {
				row = w.spoilAll(row, 4, w.rng.IntN(4), 2)
				row[2], row[3] = row[4]+" "+row[5], row[4]+" "+row[5]
				w.blank(row, 0.15, 4, 6, 7, 8, 10)
				if w.rng.IntN(8) == 0 {
					row[8] = fmt.Sprintf("%s%d %d%s", w.word(1)[:2], w.rng.IntN(30), w.rng.IntN(9), w.word(1)[:2]) // moved
				}
				if row[4] == "" {
					row[2], row[3] = row[5], row[5]
				}
			}
			l.add(p, row)
		}
	}
	return l
}

// voters are two states of a register of voters: no date of birth, some have moved.
func voters() lookalike {
	w := newWorld(13, 6000)
	l := lookalike{name: "voters, two files", header: []string{"voter_reg_num", "last_name", "first_name", "midl_name", "name_sufx_cd", "age", "gender_code", "race_code", "res_street_address", "res_city_desc", "state_cd",
		"zip_code", "full_phone_num", "birth_place"}, precision: 0.95, f1: 0.93}
	var second [][]string
	var of []int
	home := func(row []string) {
		c := w.cities[w.uneven(len(w.cities))]
		row[8], row[9], row[10], row[11] = strings.ToUpper(fmt.Sprintf("%d %s", 1+w.rng.IntN(3000), w.streets[w.rng.IntN(len(w.streets))])), strings.ToUpper(c.name), "NC", c.postcode
	}
	for p := range 6000 {
		row := []string{strconv.Itoa(p), strings.ToUpper(w.surnames[w.uneven(1500)]), strings.ToUpper(w.given[w.uneven(500)]), strings.ToUpper(w.given[w.uneven(500)]), "", strconv.Itoa(18 + w.rng.IntN(75)),
			"MF"[p%2 : p%2+1], []string{"W", "B", "A", "U"}[w.uneven(4)], "", "", "", "", fmt.Sprintf("919%07d", w.rng.IntN(9999999)), []string{"NC", "NC", "VA", "NY", "FL", "SC"}[w.uneven(6)]}
		home(row)
		if w.rng.IntN(3) == 0 {
			row[12] = ""
		}
		if w.rng.IntN(4) > 0 {
			l.add(p, row)
		}
		if w.rng.IntN(4) > 0 {
			r := append([]string{}, row...)
			if w.rng.IntN(12) == 0 {
				home(r)
			}
			if w.rng.IntN(3) == 0 {
				r[3] = r[3][:1]
			}
			r = w.spoilAll(r, 1, w.rng.IntN(3), 1)
			second, of = append(second, r), append(of, p)
		}
	}
	l.second = len(l.rows)
	for i, r := range second {
		l.add(of[i], r)
	}
	return l
}

// restaurants are businesses from two guides in one file: the column name is not a person's.
func restaurants() lookalike {
	w := newWorld(14, 1000)
	l := lookalike{name: "restaurants", header: []string{"id", "name", "addr", "city", "phone", "type", "class"}, precision: 0.93, f1: 0.90}
	kinds := []string{"cafe %s", "%s grill", "%s's", "restaurant %s", "%s", "the %s room", "%s bar & grill", "chez %s", "%s on main", "hotel %s", "%s deli"}
	types := []string{"american", "italian", "french", "asian", "californian", "delis", "seafood"}
	cities := []string{"new york", "los angeles", "chicago", "san francisco", "atlanta", "las vegas"}
	for p := range 750 {
		name := fmt.Sprintf(kinds[w.rng.IntN(len(kinds))], w.surnames[w.rng.IntN(800)])
		n, street := 1+w.rng.IntN(9999), w.streets[w.rng.IntN(300)]
		city, phone, kind := cities[w.uneven(6)], fmt.Sprintf("%d/%03d-%04d", []int{212, 310, 213, 415, 404}[w.uneven(5)], 200+w.rng.IntN(700), w.rng.IntN(9999)), types[w.uneven(7)]
		row := []string{"", name, fmt.Sprintf("%d %s", n, strings.ToLower(street)), city, phone, kind, strconv.Itoa(p)}
		l.add(p, row)
		if p%7 == 0 {
			r := append([]string{}, row...)
			r[2] = strings.NewReplacer("street", "st.", "avenue", "ave.", "road", "rd.").Replace(r[2])
			if w.rng.IntN(3) == 0 {
				r[2] += " near " + w.word(2)
			}
			r[4] = strings.ReplaceAll(r[4], "/", "-")
			if w.rng.IntN(2) == 0 {
				r[5] = types[w.rng.IntN(7)]
			}
			switch w.rng.IntN(6) {
			case 0:
				r[1] = strings.ReplaceAll(r[1], " & grill", "")
			case 1:
				r[1] = "the " + r[1]
			case 2:
				r[1] = w.slip(r[1])
			case 3:
				r[3] = "beverly hills"
			}
			l.add(p, r)
		}
	}
	for i := range l.rows {
		l.rows[i][0] = strconv.Itoa(i)
	}
	return l
}

// contacts are a list of firms' addresses with a person or without.
func contacts() lookalike {
	w := newWorld(15, 4000)
	l := lookalike{name: "firms", header: []string{"CustomerNo", "Firma", "Name", "Vorname", "Strasse", "PLZ", "Ort", "Telefon", "E-Mail"}, precision: 0.93, f1: 0.93}
	forms := []string{"GmbH", "AG", "KG", "GmbH & Co. KG", "e.K.", "Ltd", ""}
	for p := range 4000 {
		c := w.cities[w.uneven(len(w.cities))]
		surname, given := w.surnames[w.uneven(1500)], w.given[w.uneven(500)]
		firm := title(w.surnames[w.rng.IntN(len(w.surnames))]) + " " + []string{"Bau", "Technik", "Handel", "Reisen", "Software"}[w.rng.IntN(5)]
		row := []string{"", firm + " " + forms[w.rng.IntN(len(forms))], title(surname), title(given), fmt.Sprintf("%s %d", w.streets[w.rng.IntN(len(w.streets))], 1+w.rng.IntN(90)), c.postcode, c.name,
			fmt.Sprintf("0%d/%d", 30+w.rng.IntN(900), 100000+w.rng.IntN(800000)), fmt.Sprintf("%s@%s.de", surname, strings.ToLower(strings.ReplaceAll(firm, " ", "-")))}
		w.blank(row, 0.25, 7, 8)
		l.add(p, row)
		if p%4 == 0 {
			r := append([]string{}, row...)
			r[1] = firm
			r = w.spoilAll(r, 1, w.rng.IntN(4), 1)
			w.blank(r, 0.2, 3, 7, 8)
			l.add(p, r)
		}
	}
	for i := range l.rows {
		l.rows[i][0] = strconv.Itoa(i)
	}
	return l
}

// sparse has little that tells people apart: names, postal code and street, a third of each missing in one place.
func sparse() lookalike {
	w := newWorld(16, 6000)
	l := lookalike{name: "addresses alone", header: []string{"FIRST", "LAST", "ADDRESS", "CITY", "ZIP"}, precision: 0.93, f1: 0.90}
	for p := range 6000 {
		c := w.cities[w.uneven(len(w.cities))]
		row := []string{w.given[w.uneven(len(w.given))], w.surnames[w.uneven(len(w.surnames))], fmt.Sprintf("%d %s", 1+w.uneven(400), w.streets[w.rng.IntN(len(w.streets))]), c.name, c.postcode}
		l.add(p, row)
		if p%5 == 0 {
			r := w.spoilAll(row, 0, 1+w.rng.IntN(2), 1)
			w.blank(r, 0.1, 0, 3, 4)
			l.add(p, r)
		}
	}
	return l
}

func (l *lookalike) quality(t testing.TB, spooled bool) (quality, *Result) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 5))
	order := rng.Perm(len(l.rows))
	if l.second > 0 || spooled {
		for i := range order {
			order[i] = i
		}
	}
	var q quality
	count, first := map[int]int{}, map[int]int{}
	for i, e := range l.entity {
		if l.second > 0 {
			if i < l.second {
				first[e]++
			} else {
				q.of += first[e]
			}
			continue
		}
		q.of += count[e]
		count[e]++
	}
	table := NewTable()
	for i, at := range order {
		if i == 0 || i == l.second {
			if err := table.AddFile(l.header, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := table.AddRow(l.rows[at]); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Run(context.Background(), table, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Pairs(func(p Pair) error { q.see(l.entity[order[p.A]] == l.entity[order[p.B]]); return nil }); err != nil {
		t.Fatal(err)
	}
	q.finish()
	return q, r
}

func TestLookalikes(t *testing.T) {
	t.Parallel()
	for _, l := range []lookalike{febrlLike(21, 5000, 1, 4, true), febrlLike(22, 2000, 1, 4, false), febrlLike(23, 1500, 5, 10, false), namesAndBirth(), historical(), voters(), restaurants(), contacts(), sparse()} {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			q, r := l.quality(t, false)
			t.Logf("%d rows, %d candidates; %s", len(l.rows), r.Candidates, q)
			if q.f1 < l.f1 || q.precision < l.precision {
				t.Errorf("precision %.4f, F1 %.4f; wanted %.2f and %.2f", q.precision, q.f1, l.precision, l.f1)
			}
		})
	}
}
