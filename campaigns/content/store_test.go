package content

import (
	"context"
	"strings"
	"testing"
	"time"

	"aldine/internal/fault"
	"aldine/internal/pgtest"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	names := func(context.Context) ([]string, error) { return fieldNames, nil }
	return NewStore(pgtest.New(t), names, func() time.Time { return time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) })
}

func TestSaveMakesAVersionOnlyOfAChange(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	first, err := s.Save(ctx, Template{Name: " Offer ", Channel: SMS, Body: "Hello {{ customer.first_name }}"})
	if err != nil || first.ID == 0 || first.Version != 1 || first.Name != "Offer" {
		t.Fatalf("%+v, %v", first, err)
	}
	if same, err := s.Save(ctx, first); err != nil || same.Version != 1 {
		t.Fatalf("unchanged: %+v, %v", same, err)
	}
	renamed := first
	renamed.Name = "Better offer"
	if renamed, err = s.Save(ctx, renamed); err != nil || renamed.Version != 1 || renamed.Name != "Better offer" {
		t.Fatalf("renamed: %+v, %v", renamed, err)
	}
	changed := renamed
	changed.Body = "Good day {{ customer.first_name }}"
	if changed, err = s.Save(ctx, changed); err != nil || changed.Version != 2 {
		t.Fatalf("changed: %+v, %v", changed, err)
	}
	all, err := s.Versions(ctx, first.ID)
	if err != nil || len(all) != 2 || all[1].Body != first.Body {
		t.Fatalf("versions %+v, %v", all, err)
	}
	for version, want := range map[int]string{1: "Hello Eve", 2: "Good day Eve", 0: "Good day Eve"} {
		c, err := s.Compiled(ctx, first.ID, version)
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.Render(map[string]any{"customer": map[string]any{"first_name": "Eve"}}, nil)
		if err != nil || out.Text != want {
			t.Errorf("version %d: %q, %v; want %q", version, out.Text, err, want)
		}
	}
}

func TestSaveRefuses(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	first, err := s.Save(ctx, Template{Name: "Offer", Channel: SMS, Body: "Hello"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(ctx, Template{Name: "Offer", Channel: Email, Subject: "s", Body: "b"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a taken name: %v", err)
	}
	if _, err := s.Save(ctx, Template{ID: 99, Name: "x", Channel: SMS, Body: "b"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such template: %v", err)
	}
	other := first
	other.Channel, other.Subject = Email, "s"
	if _, err := s.Save(ctx, other); !fault.Is(err, fault.Invalid) {
		t.Errorf("another medium: %v", err)
	}
	for name, bad := range map[string]Template{
		"name": {Name: " ", Channel: SMS, Body: "b"}, "number": {Name: "12", Channel: SMS, Body: "b"}, "long": {Name: strings.Repeat("x", 201), Channel: SMS, Body: "b"},
		"NUL": {Name: "x", Channel: SMS, Body: "b\x00"}, "bytes": {Name: "x", Channel: SMS, Body: "b\xff"}, "variable": {Name: "x", Channel: SMS, Body: "{{ x }}"},
	} {
		if _, err := s.Save(ctx, bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := s.List(ctx, Query{}); err != nil || len(list) != 1 {
		t.Errorf("%d templates, %v", len(list), err)
	}
}

func TestListAndFind(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for _, name := range []string{"C", "A", "B 100%"} {
		if _, err := s.Save(t.Context(), Template{Name: name, Channel: Post, Body: "b"}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := s.List(t.Context(), Query{Limit: 2, Channel: Post})
	if err != nil || len(page) != 2 || page[0].Name != "A" {
		t.Fatalf("%+v, %v", page, err)
	}
	if page, err = s.List(t.Context(), Query{Limit: 2, After: page[1].Name}); err != nil || len(page) != 1 || page[0].Name != "C" {
		t.Fatalf("%+v, %v", page, err)
	}
	if page, err = s.List(t.Context(), Query{Search: "100%"}); err != nil || len(page) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	if page, err = s.List(t.Context(), Query{Channel: SMS}); err != nil || len(page) != 0 {
		t.Fatalf("%+v, %v", page, err)
	}
	byName, err := Find(t.Context(), s.pool, "C")
	if err != nil || byName.ID != 1 {
		t.Fatalf("%+v, %v", byName, err)
	}
	if byID, err := Find(t.Context(), s.pool, "1"); err != nil || byID.Name != "C" {
		t.Fatalf("%+v, %v", byID, err)
	}
	if _, err := Find(t.Context(), s.pool, "nobody"); !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
}
