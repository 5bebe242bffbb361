package campaigns

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/content"
	"aldine/internal/fault"
)

func TestCreateFillsInWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.template(t, "Mail", content.Email)
	first := f.create(t, Input{Name: "  Frühling & Größe 2026 ", Journey: oneMail})
	if first.Code != "fruhling-grosse-2026" || first.Name != "Frühling & Größe 2026" || first.State != Draft || first.MarginRate.String() != "0.40" {
		t.Errorf("got %+v", first.Campaign)
	}
	if len(first.Cells) != 1 || first.Cells[0].Name != "all" || first.Cells[0].Share.String() != "100" || first.Cells[0].Control {
		t.Errorf("cells %+v", first.Cells)
	}
	if second := f.create(t, Input{Name: "Frühling & Größe 2026"}); second.Code != "fruhling-grosse-2026-2" {
		t.Errorf("second code %q", second.Code)
	}
	if _, err := f.Create(t.Context(), Input{Name: "x", Currency: "EUR", Code: first.Code}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a taken code: %v", err)
	}
	if n := one[int](t, f, `SELECT count(*) FROM audit_log WHERE action = 'campaign.create'`); n != 2 {
		t.Errorf("%d audit entries, want 2", n)
	}
}

func TestCreateReportsAllFaultsAndStoresNothing(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.template(t, "Text", content.SMS)
	_, err := f.Create(t.Context(), Input{Name: " ", Code: "Ü", Currency: "EURO", Budget: amount("-1"), FixedCost: amount("0.00001"), MarginRate: amount("2"),
		Segment: "nobody", Cells: []CellInput{{Name: "a", Share: *amount("33.333")}, {Name: "A", Share: *amount("0")}},
		Journey: steps(`{"key":"m","type":"email","template":"Text","next":"n"}`, `{"key":"n","type":"sms","template":"none"}`)})
	for field, message := range map[string]string{
		"name": "Enter a name", "code": "letters", "currency": "three letters", "budget": "0 or more", "fixed_cost": "4 decimals", "margin_rate": "0 to 1",
		"segment": "no segment", "cells[0].share": "two decimals", "cells[1].name": "already", "cells[1].share": "above 0",
		"journey.steps[0].template": "is for sms", "journey.steps[1].template": "no template",
	} {
		wants(t, err, field, message)
	}
	if n := one[int](t, f, `SELECT count(*) FROM campaigns`); n != 0 {
		t.Errorf("%d campaigns were stored", n)
	}
}

func TestCellsMustMakeAWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cells          []CellInput
		field, message string
	}{
		"too little":  {[]CellInput{{"a", *amount("50"), false}, {"b", *amount("49.99"), false}}, "cells", "99.99 %"},
		"too much":    {[]CellInput{{"a", *amount("50"), false}, {"b", *amount("50.01"), false}}, "cells", "100.01 %"},
		"two control": {[]CellInput{{"a", *amount("80"), false}, {"b", *amount("10"), true}, {"c", *amount("10"), true}}, "cells", "at most one control"},
		"all control": {[]CellInput{{"a", *amount("100"), true}}, "cells", "not the control"},
		"huge":        {[]CellInput{{"a", *amount("999999999999999999"), false}}, "cells[0].share", "percentage"},
	} {
		var f faults
		f.cells(c.cells)
		wants(t, errors.Join(f.err(name)), c.field, c.message)
	}
	var f faults
	if out := f.cells([]CellInput{{"a", *amount("89.99"), false}, {"b", *amount("10.010"), true}}); len(f) > 0 || out[0].points != 8999 || out[1].points != 1001 {
		t.Errorf("%v, %v", out, f)
	}
}

func TestConditionsAreCheckedAndMayNameTheCampaign(t *testing.T) {
	t.Parallel()
	f := setup(t)
	branch := func(condition string) Input {
		s, _ := json.Marshal(condition)
		return Input{Name: "x", Code: "own", Currency: "EUR", Journey: steps(`{"key":"b","type":"branch","if":` + string(s) + `}`)}
	}
	if _, err := f.Create(t.Context(), branch(`clicked("this") or clicked("own")`)); err != nil {
		t.Fatal(err)
	}
	in := branch(`orders_cuont > 3`)
	in.Code = "other"
	_, err := f.Create(t.Context(), in)
	wants(t, err, "journey.steps[0].if", "orders_count")
	in = Input{Name: "x", Currency: "EUR", Expression: "orders_count >"}
	_, err = f.Create(t.Context(), in)
	wants(t, err, "expression", "")
	wants(t, f.CheckJourney(t.Context(), steps(`{"key":"b","type":"goal","if":"nothing > 3"}`)), "journey.steps[0].if", "nothing")
}

func TestUpdateGuardsAgainstLostUpdates(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.template(t, "Mail", content.Email)
	d := f.create(t, Input{Journey: oneMail, Cells: []CellInput{{"test", *amount("90"), false}, {"hold", *amount("10"), true}}})
	name, other := "Summer", "Autumn"
	changed, err := f.Update(t.Context(), d.ID, Patch{RowVersion: d.RowVersion, Name: &name})
	if err != nil || changed.Name != "Summer" || changed.RowVersion != d.RowVersion+1 || len(changed.Journey.Steps) != 1 || len(changed.Cells) != 2 {
		t.Fatalf("%+v, %v", changed, err)
	}
	if _, err := f.Update(t.Context(), d.ID, Patch{RowVersion: d.RowVersion, Name: &other}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a lost update: %v", err)
	}
	if _, err := f.Update(t.Context(), d.ID+1, Patch{Name: &other}); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such campaign: %v", err)
	}
	if _, err := f.Approve(t.Context(), d.ID, d.RowVersion); !fault.Is(err, fault.Conflict) {
		t.Errorf("approval of what someone else changed: %v", err)
	}
	if _, err := f.Approve(t.Context(), d.ID, changed.RowVersion); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Update(t.Context(), d.ID, Patch{Name: &other}); !fault.Is(err, fault.Conflict) {
		t.Errorf("an approved campaign was changed: %v", err)
	}
	cells := []CellInput{{"hold", *amount("20"), true}, {"new", *amount("80"), false}}
	back, err := f.Withdraw(t.Context(), d.ID, 0)
	if err != nil || back.State != Draft || back.Version != 2 || len(back.Journey.Steps) != 1 || back.ApprovedAt != nil {
		t.Fatalf("%+v, %v", back, err)
	}
	if back, err = f.Update(t.Context(), d.ID, Patch{Cells: &cells, Name: &other}); err != nil || len(back.Cells) != 2 || back.Cells[0].ID != d.Cells[1].ID {
		t.Fatalf("%+v, %v", back.Cells, err)
	}
	if d, err = f.Approve(t.Context(), d.ID, 0); err != nil || d.Version != 2 {
		t.Fatalf("%+v, %v", d, err)
	}
}

func TestListAndFind(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, name := range []string{"Spring roses", "Summer", "Autumn roses"} {
		f.create(t, Input{Name: name})
	}
	page, err := f.List(t.Context(), Query{Limit: 2})
	if err != nil || len(page) != 2 || page[0].Name != "Autumn roses" {
		t.Fatalf("%+v, %v", page, err)
	}
	page, err = f.List(t.Context(), Query{Limit: 2, Before: page[1].ID})
	if err != nil || len(page) != 1 || page[0].Name != "Spring roses" {
		t.Fatalf("%+v, %v", page, err)
	}
	page, err = f.List(t.Context(), Query{Search: "ROSES", State: Draft})
	if err != nil || len(page) != 2 {
		t.Fatalf("%+v, %v", page, err)
	}
	if page, err = f.List(t.Context(), Query{State: Running}); err != nil || len(page) != 0 {
		t.Fatalf("%+v, %v", page, err)
	}
	if id, err := f.Find(t.Context(), "summer"); err != nil || one[string](t, f, `SELECT name FROM campaigns WHERE campaign_id = @id`, pgx.NamedArgs{"id": id}) != "Summer" {
		t.Fatal(id, err)
	}
	if _, err := f.Find(t.Context(), "winter"); !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
}
