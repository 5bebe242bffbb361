package campaigns

import (
	"fmt"
	"strings"
	"testing"

	"github.com/govalues/decimal"
)

// The deal of the books: 100 a thousand, at least 85 %, 3 a thousand for the rest.
func bookDeal(gross int64) deal {
	return deal{list: 7, name: "Herbs", price: decimal.MustParse("100"), running: decimal.MustParse("3"), extra: decimal.Zero,
		share: decimal.MustParse("0.85"), gross: gross, booked: map[string]int64{}}
}

// cost says the rows as "component quantity amount" and their sum.
func cost(t *testing.T, d deal, cells ...used) string {
	t.Helper()
	entries, err := d.entries(cells)
	if err != nil {
		t.Fatal(err)
	}
	sum := decimal.Zero
	var said []string
	for _, e := range entries {
		if sum, err = sum.Add(e.amount); err != nil {
			t.Fatal(err)
		}
		said = append(said, fmt.Sprintf("%s %d %s", e.component, e.quantity, e.amount.Trim(0)))
		if e.kind != "list" || *e.listID != 7 || !strings.HasPrefix(e.note, "Herbs: ") {
			t.Errorf("%+v", e)
		}
	}
	return strings.Join(append(said, tidy(sum).String()), ", ")
}

func TestNetNameDeal(t *testing.T) {
	t.Parallel()
	one, two := int64(1), int64(2)
	half, extras := bookDeal(100_000), bookDeal(100_000)
	half.price, half.share, half.running = decimal.MustParse("95.55"), decimal.One, decimal.Zero
	half.gross = 0
	extras.extra = decimal.MustParse("12.5")
	later, free := bookDeal(100_000), bookDeal(100_000)
	later.booked = map[string]int64{dealNames: 80_000, dealMinimum: 5_000, dealUnused: 15_000}
	free.price, free.running = decimal.Zero, decimal.Zero
	for _, tt := range []struct {
		name  string
		deal  deal
		cells []used
		want  string
	}{
		{"9,000 removed", bookDeal(100_000), []used{{nil, 91_000}}, "names 91000 9100, unused 9000 27, 9127.00"},
		{"20,000 removed", bookDeal(100_000), []used{{nil, 80_000}}, "names 80000 8000, minimum 5000 500, unused 15000 45, 8545.00"},
		{"exactly the share", bookDeal(100_000), []used{{nil, 85_000}}, "names 85000 8500, unused 15000 45, 8545.00"},
		{"all of them", bookDeal(100_000), []used{{nil, 100_000}}, "names 100000 10000, 10000.00"},
		{"more than were said to come", bookDeal(100_000), []used{{nil, 100_500}}, "names 100500 10050, 10050.00"},
		{"a share of a name is a name", bookDeal(3), []used{{nil, 1}}, "names 1 0.1, minimum 2 0.2, 0.30"},
		{"selections and delivery go by the gross", extras, []used{{nil, 91_000}}, "names 91000 9100, unused 9000 27, extra 100000 1250, 10377.00"},
		{"cells together are exact", half, []used{{&one, 333}, {&two, 334}}, "names 333 31.8182, names 334 31.9136, 63.7318"},
		{"nobody of the list", bookDeal(100_000), nil, "0.00"},
		{"nobody but the control cell", bookDeal(100_000), []used{{&one, 0}}, "0.00"},
		{"a list that costs nothing", free, []used{{&one, 10}}, "0.00"},
		// 80,000 were used before: 8,000 more make 88,000, of which 85,000 are paid for at the full price already.
		{"a second campaign pays what is new", later, []used{{nil, 8_000}}, "names 8000 800, minimum -5000 -500, unused -3000 -9, 291.00"},
		{"and nothing where nothing is new", later, []used{{&one, 0}}, "0.00"},
	} {
		if got := cost(t, tt.deal, tt.cells...); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	// The two campaigns together cost what one with all the names would: 88,000 and 12,000 at the running charge.
	if got := cost(t, bookDeal(100_000), used{nil, 88_000}); !strings.HasSuffix(got, " 8836.00") { // 8545 + 291
		t.Error(got)
	}
}
