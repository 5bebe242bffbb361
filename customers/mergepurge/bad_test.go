package mergepurge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/govalues/decimal"

	"aldine/internal/fault"
)

func TestBadRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for want, in := range map[string]NewRun{
		"name":       {Name: " "},
		"level":      {Name: "x", Level: "town"},
		"allocation": {Name: "x", Allocation: "fair"},
		"channel":    {Name: "x", Channel: "fax"},
		"threshold":  {Name: "x", Threshold: 1.5},
		"review":     {Name: "x", Threshold: 0.5, Review: 0.6},
		"characters": {Name: "a\nb"},
	} {
		_, err := b.Create(b.ctx, in)
		b.wants(err, fault.Invalid, want)
	}
	run := b.create(NewRun{Name: "one"})
	_, err := b.Create(b.ctx, NewRun{Name: "one"})
	b.wants(err, fault.Conflict, "named")
	_, err = b.Run(b.ctx, 999)
	b.wants(err, fault.NotFound, "999")
	_, err = b.Start(b.ctx, run.ID)
	b.wants(err, fault.Invalid, "nobody to mail")
	b.add(run, Suppression, "no", "email\na@example.org\n")
	_, err = b.Start(b.ctx, run.ID)
	b.wants(err, fault.Invalid, "nobody to mail")
	_, err = b.Apply(b.ctx, run.ID)
	b.wants(err, fault.Conflict, "draft")
	b.wants(b.Cancel(b.ctx, run.ID), fault.Conflict, "nothing to cancel")
	b.wants(b.WriteXLSX(b.ctx, run.ID, &strings.Builder{}), fault.Conflict, "no report")
	_, err = b.Work(b.ctx, run.ID)
	b.wants(err, fault.Conflict, "draft")
	b.ok(b.Rename(b.ctx, run.ID, "two"))
	b.ok(b.Delete(b.ctx, run.ID))
	if n := uploads(b); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

func TestBadInputs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.create(NewRun{})
	text := "last_name,email\nSchmidt,a@example.org\n"
	for want, in := range map[string]NewInput{
		"the file is empty": {Kind: Rented, Name: "a"},
		"no column":         {Kind: Rented, Name: "a", Body: strings.NewReader("colour,size\nred,1\n")},
		"reads: id, title":  {Kind: Rented, Name: "a", Body: strings.NewReader("id,title\n1,Dr\n")}, // another's numbers say nothing
		"first line":        {Kind: Rented, Name: "a", Body: strings.NewReader("\x7fELF\x00\x00\n\x00")},
		"use house":         {Kind: "friends", Name: "a", Body: strings.NewReader(text)},
		"a name of at most": {Kind: Rented, Body: strings.NewReader(text)},
		"by an expression":  {Kind: Rented, Name: "a", Expression: "city:Bonn", Body: strings.NewReader(text)},
		"only rented lists": {Kind: Suppression, Name: "a", Deal: &Deal{}, Body: strings.NewReader(text)},
		"a share from":      {Kind: Rented, Name: "a", Deal: &Deal{NetShare: decimal.MustParse("1.5")}, Body: strings.NewReader(text)},
		"three letters":     {Kind: Rented, Name: "a", Deal: &Deal{Currency: "euro"}, Body: strings.NewReader(text)},
		"no such column":    {Kind: Rented, Name: "a", Mapping: map[string]string{"mail": "email"}, Body: strings.NewReader(text)},
		"no field":          {Kind: Rented, Name: "a", Mapping: map[string]string{"email": "colour"}, Body: strings.NewReader(text)},
	} {
		_, err := b.AddInput(b.ctx, run.ID, in)
		b.wants(err, fault.Invalid, want)
	}
	if n := uploads(b); n != 0 {
		t.Errorf("%d uploads of refused files are left", n)
	}
	b.add(run, Rented, "A", text)
	_, err := b.AddInput(b.ctx, run.ID, NewInput{Kind: Rented, Name: "a", Body: strings.NewReader(text + "x,b@example.org\n")})
	b.wants(err, fault.Conflict, `named "A" already`)
	_, err = b.AddInput(b.ctx, run.ID, NewInput{Kind: Rented, Name: "B", Body: strings.NewReader(text)})
	b.wants(err, fault.Invalid, "the same file is input 1")
	_, err = b.customers.EnsureList(b.ctx, "our own")
	b.ok(err)
	_, err = b.AddInput(b.ctx, run.ID, NewInput{Kind: Rented, Name: "our own", Body: strings.NewReader("email\nx@example.org\n")})
	b.wants(err, fault.Conflict, "house list")
	_, err = b.AddInput(b.ctx, 999, NewInput{Kind: House})
	b.wants(err, fault.NotFound, "999")
	b.wants(b.RemoveInput(b.ctx, run.ID, 7), fault.NotFound, "no input 7")
	_, err = b.Preview(b.ctx, run.ID, 7, 3)
	b.wants(err, fault.NotFound, "no input 7")
	b.add(run, House, "", "")
	_, err = b.Preview(b.ctx, run.ID, 2, 3)
	b.wants(err, fault.Invalid, "house file")
	b.ok(b.RemoveInput(b.ctx, run.ID, 1))
	b.work(run)
	_, err = b.AddInput(b.ctx, run.ID, NewInput{Kind: House, Name: "more"})
	b.wants(err, fault.Conflict, "only a draft")
}

// A column that is left out stays out, through preview and run.
func TestMapping(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.create(NewRun{})
	in, err := b.AddInput(b.ctx, run.ID, NewInput{Kind: Rented, Name: "A", Body: strings.NewReader("id,Vorname,Nachname,email,x,dob\n1,Anna,Schmidt,a@EXAMPLE.org,+493012345678,1970-02-01\n2,Bernd,,bad,,\nshort\n"),
		Mapping: map[string]string{"email": "", "x": "phone"}})
	b.ok(err)
	if fmt.Sprint(in.Mapping) != "map[Nachname:last_name Vorname:first_name dob:birth_date x:phone]" {
		t.Errorf("mapping %v", in.Mapping)
	}
	p, err := b.Preview(b.ctx, run.ID, 1, 10)
	b.ok(err)
	if len(p.Rows) != 3 || p.Rows[0].Verdict != "taken" || p.Rows[0].Standard["birth_date"] != "1970-02-01" || p.Rows[0].Standard["email"] != "" ||
		!strings.HasPrefix(p.Rows[2].Verdict, "rejected: the row has 1 field") || p.Rows[2].Line != 4 || len(p.Header) != 6 {
		t.Errorf("preview: %s", asJSON(p))
	}
	in, err = b.SetInput(b.ctx, run.ID, 1, map[string]string{"id": "external_id"}, 5)
	b.ok(err)
	if in.Priority != 5 || in.Mapping["email"] != "email" || in.Mapping["id"] != "external_id" || in.Mapping["x"] != "" {
		t.Errorf("changed: %+v", in)
	}
	p, err = b.Preview(b.ctx, run.ID, 1, 2)
	b.ok(err)
	if p.Rows[0].Standard["email"] != "a@example.org" || !strings.Contains(p.Rows[1].Verdict, "rejected: email") {
		t.Errorf("preview: %s", asJSON(p))
	}
	if got := figures(b.work(run).Report, "A"); got != "3-2-0-0-0-0=1" {
		t.Error(got)
	}
}

// Lists without rows, and one without a valid one, are lists of nobody.
func TestEmptyLists(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.create(NewRun{Level: Household})
	b.add(run, House, "", "")
	b.add(run, Rented, "nobody", "first_name,last_name\n")
	b.add(run, Rented, "noise", "first_name,last_name\n,\nonly\nAnna,Schmidt,too,many\n")
	b.add(run, Suppression, "none", "email\n")
	r := b.work(run).Report
	if r.Net != 0 || figures(r, "nobody") != "0-0-0-0-0-0=0" || figures(r, "noise") != "2-2-0-0-0-0=0" {
		t.Errorf("%s", asJSON(r))
	}
	run, err := b.Run(b.ctx, run.ID)
	b.ok(err)
	b.apply1(run)
}

// A suppression file's faulty value costs the value, not the entry.
func TestLenientSuppression(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.create(NewRun{})
	b.add(run, Rented, "A", "first_name,last_name,email,street,postal_code\nAnna,Schmidt,a@example.org,Lindenweg 4,53111\nBernd,Kowalski,b@example.org,Am Markt 12,53113\n"+
		"Clara,Hoffmann,c@example.org,Ringweg 7,50667\n")
	b.add(run, Suppression, "no", "first_name,last_name,email,phone,street,postal_code\n,,a@example.org,123,,\n,,not one,,Am Markt 12,53113\n,,,no number,,\n")
	r := b.work(run).Report
	if figures(r, "A") != "3-0-2-0-0-0=1" || keys(r.Inputs[0].SuppressedBy) != "no (address): 1, no (e-mail): 1" || r.Inputs[1].Rejected != 1 {
		t.Errorf("%s", asJSON(r))
	}
}

// Rows that are all alike are one name, however many.
func TestIdenticalRows(t *testing.T) {
	t.Parallel()
	const n = 60_000
	b := setup(t)
	run := b.create(NewRun{Level: Household})
	b.add(run, Rented, "A", head+strings.Repeat("Anna,Schmidt,anna@example.org,,Lindenweg 4,Bonn,53111,DE\n", n))
	b.add(run, Rented, "B", head+strings.Repeat("Anna,Schmidt,anna@example.org,,Lindenweg 4,Bonn,53111,DE\n", 10))
	r := b.work(run).Report
	if figures(r, "A") != fmt.Sprintf("%d-0-0-%d-0-0=1", n, n-1) && figures(r, "A") != fmt.Sprintf("%d-0-0-%d-1-0=0", n, n-1) || r.Net != 1 {
		t.Errorf("%s %s", figures(r, "A"), figures(r, "B"))
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.create(NewRun{Name: "Ünïcode \"quoted\" \\ name"})
	b.add(run, Rented, "A\\B\t"[:3], "last_name,street,city\n\"O\\N \"\"x\"\"\",\"a\tb\nc\",\u202eabc\n\\N,\\.,Ж\n")
	run = b.work(run)
	records, err := b.Records(b.ctx, run.ID, Filter{}, 0, 10)
	b.ok(err)
	if len(records) != 2 || records[0].Fields["last_name"] != `O\N "x"` || records[0].Fields["street"] != "a\tb\nc" || records[1].Fields["street"] != `\.` || records[1].Fields["city"] != "Ж" {
		t.Errorf("%s", asJSON(records))
	}
}

// What is in the way of applying is said, and a run can be applied when it is gone.
func TestApplyInTheWay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.create(NewRun{Name: "Net"})
	b.add(run, Rented, "A", "email\na@example.org\n")
	b.work(run)
	_, err := b.ApplyHeld(b.ctx, run.ID)
	b.ok(err)
	list, err := b.customers.EnsureList(b.ctx, "A") // of the house
	b.ok(err)
	_, err = b.Work(b.ctx, run.ID)
	b.wants(err, fault.Conflict, `house list named "A"`)
	run, err = b.Run(b.ctx, run.ID)
	b.ok(err)
	if run.State != Finished || !strings.Contains(run.Error, `"A"`) || run.ListID != 0 {
		t.Errorf("%+v", run)
	}
	_, err = b.pool.Exec(b.ctx, `DELETE FROM lists WHERE list_id = $1`, list)
	b.ok(err)
	_, err = b.ApplyHeld(b.ctx, run.ID)
	b.ok(err)
	if run, err = b.Work(b.ctx, run.ID); err != nil || run.State != Applied {
		t.Errorf("%+v %v", run, err)
	}
}
