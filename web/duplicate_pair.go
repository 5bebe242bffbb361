package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/internal/fault"
)

// pairPage is one pair, side by side.
type pairPage struct {
	frame
	Form      form
	Pair      duplicates.Pair
	Path      string
	Sure      string
	Reason    string
	Conflict  string
	Refused   string
	Campaigns []string
	Open      bool
	Decide    bool // it can be decided here and now
	CanUndo   bool
	Left      int64
	Sides     []pairSide
	Rows      []pairRow
	Facts     []pairFact
	Skip      string
}

type pairSide struct {
	ID    int64
	Name  string
	Key   string // on the keyboard
	Arrow string
	Take  string // address with all of this side chosen
	Taken bool
}

// pairRow is one field with both values, the choice between them, and how they agree.
type pairRow struct {
	Name, Label string
	Choice      bool
	Cells       [2]pairCell
	Agrees      []agreeing
	Why         string
}

type pairCell struct {
	Value, Text string
	Chosen      bool
	Parts       []part
}

type agreeing struct {
	Field, Words string // Field where the row has several
	Bar          weightBar
	Weighed      bool
}

type pairFact struct {
	Label string
	Cells [2]string
}

var pairView = pageView[pairPage]("duplicate")

// pairParam gives the pair that the address names.
func (p *Pages) pairParam(c echo.Context) (duplicates.Pair, error) {
	a, err1 := strconv.ParseInt(c.Param("a"), 10, 64)
	b, err2 := strconv.ParseInt(c.Param("b"), 10, 64)
	if err1 != nil || err2 != nil {
		return duplicates.Pair{}, fault.New(fault.NotFound, "There is no such page")
	}
	return p.Duplicates.Pair(ctx(c), a, b)
}

func (p *Pages) duplicateShow(c echo.Context) error {
	pair, err := p.pairParam(c)
	if err != nil {
		return err
	}
	return p.showPair(c, pair, formWith())
}

func (p *Pages) showPair(c echo.Context, pair duplicates.Pair, f form) error {
	page := pairPage{frame: p.frame(c, customersPlace, "One person or two?"), Form: f, Pair: pair, Path: pairPath(pair), Sure: sureness(pair.Score),
		Reason: reasonFor(pair.Evidence), Open: pair.State == duplicates.StateOpen, Skip: nextPath(pair)}
	counts, err := p.Duplicates.Counts(ctx(c))
	if err != nil {
		return err
	}
	page.Left = counts.Open
	page.CanUndo = page.May("customers.write") && p.sessions.GetString(ctx(c), lastDecision) != ""
	both := pair.A.ID != 0 && pair.B.ID != 0
	page.Decide = page.Open && both && page.May("customers.write")
	take := c.QueryParam("take")
	page.Sides = []pairSide{
		{ID: pair.CustomerID, Name: sideName(pair.A, pair.CustomerID), Key: "1", Arrow: "arrowleft", Take: page.Path + "?take=a", Taken: take == "a"},
		{ID: pair.OtherID, Name: sideName(pair.B, pair.OtherID), Key: "2", Arrow: "arrowright", Take: page.Path + "?take=b", Taken: take == "b"}}
	survivor := survivorOf(pair, take, f)
	old := pair.OtherID
	if survivor == pair.OtherID {
		old = pair.CustomerID
	}
	var choices []duplicates.Choice
	if both && page.Open {
		preview, err := p.Duplicates.PreviewMerge(ctx(c), survivor, old, nil)
		if err != nil {
			return err
		}
		choices, page.Conflict, page.Refused, page.Campaigns = preview.Fields, preview.Conflict, preview.Refused, preview.Campaigns
	}
	if page.Conflict == "" {
		page.Conflict = pair.Conflict
	}
	page.Conflict = conflictWords(page.Conflict, pair)
	page.Rows = pairRows(pair, choices, survivor, take, f)
	if page.Facts, err = p.pairFacts(c, pair); err != nil {
		return err
	}
	return showStatus(p, c, f.status(), pairView, page)
}

func sideName(s duplicates.Side, id int64) string {
	if s.ID == 0 {
		return fmt.Sprintf("%d, who is no more", id)
	}
	return s.Name()
}

// survivorOf gives whose number stays: as chosen, else who is known by a number of your own, has more orders, came first.
func survivorOf(pair duplicates.Pair, take string, f form) int64 {
	switch f.Get("survivor") {
	case number64(pair.CustomerID):
		return pair.CustomerID
	case number64(pair.OtherID):
		return pair.OtherID
	}
	a, b := pair.A, pair.B
	switch {
	case take == "b":
		return pair.OtherID
	case take == "a":
	case (a.ExternalID == "") != (b.ExternalID == ""):
		if a.ExternalID == "" {
			return pair.OtherID
		}
	case b.OrdersCount > a.OrdersCount:
		return pair.OtherID
	}
	return pair.CustomerID
}

func conflictWords(conflict string, pair duplicates.Pair) string {
	if conflict == "" {
		return ""
	}
	if pair.A.ExternalID != "" && pair.B.ExternalID != "" && pair.A.ExternalID != pair.B.ExternalID {
		return fmt.Sprintf("They have two external ids, %s and %s.", pair.A.ExternalID, pair.B.ExternalID)
	}
	return strings.ToUpper(conflict[:1]) + strings.TrimSuffix(conflict[1:], ".") + "."
}

// rowOf tells in which row of choices the evidence of a field is shown.
func rowOf(field string) string {
	switch field {
	case "given_name":
		return "first_name"
	case "surname":
		return "last_name"
	case "street_number", "street", "address2", "unit", "city", "region", "postal_code", "country":
		return "address"
	case "identifier":
		return "external_id"
	}
	return field
}

// pairRows puts choices and evidence side by side; the left cell is always the lower number.
func pairRows(pair duplicates.Pair, choices []duplicates.Choice, survivor int64, take string, f form) []pairRow {
	left := survivor == pair.CustomerID // the survivor stands on the left
	number := pairRow{Name: "survivor", Label: "Number kept", Choice: choices != nil, Why: "the other number goes on leading here"}
	number.Cells[0] = pairCell{Value: number64(pair.CustomerID), Text: number64(pair.CustomerID), Chosen: left, Parts: whole(number64(pair.CustomerID), false)}
	number.Cells[1] = pairCell{Value: number64(pair.OtherID), Text: number64(pair.OtherID), Chosen: !left, Parts: whole(number64(pair.OtherID), false)}
	rows := []pairRow{number}
	shown := map[string]bool{}
	for _, ch := range choices {
		row := pairRow{Name: "f." + ch.Field, Label: fieldLabel(ch.Field), Why: ch.Why}
		a, b := ch.Survivor, ch.Old
		chosenLeft := (ch.Chosen != "old") == left
		if !left {
			a, b = b, a
		}
		switch {
		case f.Get(row.Name) == "a" || f.Get(row.Name) == "b":
			chosenLeft = f.Get(row.Name) == "a"
		case take == "a" && a != "", take == "b" && b == "":
			chosenLeft, row.Why = true, ""
		case take == "a" || take == "b":
			chosenLeft, row.Why = false, ""
		}
		row.Choice = a != b
		pa, pb := differing(a, b)
		row.Cells = [2]pairCell{{"a", a, chosenLeft, pa}, {"b", b, !chosenLeft, pb}}
		if !row.Choice {
			row.Why = ""
		}
		row.Agrees = agreeingOf(pair.Evidence, ch.Field)
		shown[ch.Field] = true
		rows = append(rows, row)
	}
	for _, e := range pair.Evidence {
		if name := rowOf(e.Field); !shown[name] {
			pa, pb := differing(e.A, e.B)
			row := pairRow{Label: fieldLabel(e.Field), Cells: [2]pairCell{{Text: e.A, Parts: pa}, {Text: e.B, Parts: pb}}}
			row.Agrees = []agreeing{agreeOf(e)}
			rows = append(rows, row)
		}
	}
	return rows
}

func agreeingOf(evidence []duplicates.Evidence, field string) []agreeing {
	var out []agreeing
	for _, e := range evidence {
		if rowOf(e.Field) == field {
			a := agreeOf(e)
			a.Field = fieldLabel(e.Field)
			out = append(out, a)
		}
	}
	if len(out) == 1 {
		out[0].Field = ""
	}
	return out
}

func agreeOf(e duplicates.Evidence) agreeing {
	return agreeing{Words: agreement(e.Level), Bar: newWeightBar(e.Weight), Weighed: e.Level != "missing"}
}

// pairFacts are what a person wants to know of both before deciding.
func (p *Pages) pairFacts(c echo.Context, pair duplicates.Pair) ([]pairFact, error) {
	v, err := p.Settings.Get(ctx(c))
	if err != nil {
		return nil, err
	}
	facts := []pairFact{{Label: "Orders"}, {Label: "Spent"}, {Label: "Last event"}, {Label: "Lists"}, {Label: "Consents"}, {Label: "Customer since"}}
	for i, s := range []duplicates.Side{pair.A, pair.B} {
		if s.ID == 0 {
			continue
		}
		facts[0].Cells[i] = number(s.OrdersCount)
		facts[1].Cells[i] = strings.TrimSpace(group(s.TotalSpent.Round(2).Pad(2).String()) + " " + v.BaseCurrency)
		events, _, err := p.Reports.History(ctx(c), s.ID, "", 1)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			facts[2].Cells[i] = inWords(e).Text + ", " + e.At.UTC().Format("2 Jan 2006")
		}
		facts[3].Cells[i] = strings.Join(s.Lists, ", ")
		facts[4].Cells[i] = consentWords(s.Consents)
		facts[5].Cells[i] = s.CreatedAt.UTC().Format("2 Jan 2006")
	}
	return slices.DeleteFunc(facts, func(f pairFact) bool { return f.Cells[0] == "" && f.Cells[1] == "" }), nil
}

func consentWords(consents []customers.Consent) string {
	var out []string
	for _, c := range consents {
		said := "no"
		if c.Granted {
			said = "yes"
		}
		out = append(out, mediumName(c.Channel)+": "+said)
	}
	return strings.Join(out, ", ")
}
