package match

import (
	"slices"
	"strings"
)

// Evidence is what one field says of a pair.
type Evidence struct {
	Field              string
	A, B               string // the standardised values, "" where not known
	WrittenA, WrittenB string // the values as they stand in the file, where they are at hand
	Level              Level
	Weight             float64 // in bits: positive speaks for one person
}

// Explanation says why two rows are one person, or why not. The weights and Prior add up to Bits, and Score is their
// probability.
type Explanation struct {
	Evidence  []Evidence
	Prior     float64 // log odds of any two rows
	Household float64 // what another member of the household would explain as well; taken off
	Bits      float64
	Score     float64
	Together  bool // whether both are in one cluster
}

// Explain compares two rows, field by field.
func (r *Result) Explain(a, b int) Explanation {
	i, j := r.table.node[a], r.table.node[b]
	e := r.Model.explain(r.table, i, j, r.memo)
	for _, nodes := range r.clusters {
		e.Together = e.Together || slices.Contains(nodes, i) && slices.Contains(nodes, j)
	}
	return e
}

func (m *Model) explain(t *Table, i, j int32, memo memo) Explanation {
	x, y := &t.nodes[i], &t.nodes[j]
	s := t.sign(i, j, memo)
	e := Explanation{Prior: float64(m.prior)}
	for f := range fields {
		if x[f] == 0 && y[f] == 0 && s.at[f] == 0 {
			continue
		}
		w := m.weightIn(&s, f)
		of := t.stores[storeOf[f]].of
		e.Evidence = append(e.Evidence, Evidence{Field: f.String(), A: of[x[f]].text, B: of[y[f]].text, Level: levelOf(s.at[f]), Weight: float64(w)})
	}
	_, home := m.parts(&s)
	e.Household = float64(m.homeDoubt(home))
	bits := m.prior + m.evidence(&s)
	e.Bits, e.Score = float64(bits), probability(bits)
	return e
}

// writtenFrom says which columns a field is read from, the usual one first.
var writtenFrom = [fields][]column{Given: {colGiven, colFull}, Middle: {colMiddle, colGiven, colFull}, Surname: {colSurname, colSurname2, colFull},
	Birth: {colBirth, colYear, colMonth, colDay}, Email: {colEmail}, Phone: {colPhone}, Identifier: {colIdentifier}, Number: {colNumber, colStreet},
	Street: {colStreet}, Street2: {colUnit, colStreet2}, City: {colCity}, Region: {colRegion}, Postcode: {colPostcode}, Company: {colCompany, colFull},
	Extra1: {colExtra1}, Extra2: {colExtra2}, Extra3: {colExtra3}, Extra4: {colExtra4}}

// joined are the fields that all their columns together make.
var joined = [fields]bool{Surname: true, Birth: true, Street2: true}

// writtenAs gives what a row's columns say of a field.
func writtenAs(f Field, cells *[columns]string) string {
	var found []string
	for _, col := range writtenFrom[f] {
		v := cells[col]
		if v == "" || len(found) > 0 && (!joined[f] || col == colFull || f == Birth && cells[colBirth] != "") {
			continue
		}
		found = append(found, v)
	}
	if f == Birth {
		return strings.Join(found, "-")
	}
	return strings.Join(found, " ")
}

// Clusters tells how many clusters of two rows or more there are, and how many rows the largest has.
func (r *Result) Clusters() (n, largest int) {
	for _, nodes := range r.clusters {
		rows := 0
		for _, i := range nodes {
			rows += int(r.table.rowsOf[i])
		}
		if rows > 1 {
			n++
			largest = max(largest, rows)
		}
	}
	return n, largest
}
