package customers

import (
	"math"
	"testing"

	"github.com/govalues/decimal"
)

// The examples of the books: 100,000 names at 100 a thousand, at least 85 %, 3 a thousand for the rest.
func TestNetNames(t *testing.T) {
	t.Parallel()
	d := decimal.MustParse
	for _, c := range []struct {
		used, gross        int64
		share              string
		chargeable, unused int64
		cost               string
	}{
		{91_000, 100_000, "0.85", 91_000, 9_000, "9127"},
		{80_000, 100_000, "0.85", 85_000, 15_000, "8545"},
		{85_000, 100_000, "0.85", 85_000, 15_000, "8545"},
		{0, 7, "0.85", 6, 1, "0.603"}, // 5.95 names are 6
		{1, 3, "0.333333", 1, 2, "0.106"},
		{7_500, 10_000, "1", 10_000, 0, "1000"},
		{100, 90, "0.85", 100, 0, "10"}, // more than were said to come
		{0, 0, "0.85", 0, 0, "0"},
	} {
		chargeable, unused, err := NetNames(c.used, c.gross, d(c.share))
		if err != nil || chargeable != c.chargeable || unused != c.unused {
			t.Errorf("%+v: %d %d %v", c, chargeable, unused, err)
		}
		full, err := PerThousand(d("100"), chargeable)
		if err != nil {
			t.Fatal(err)
		}
		rest, err := PerThousand(d("3"), unused)
		if err != nil {
			t.Fatal(err)
		}
		if sum, err := full.Add(rest); err != nil || sum.Cmp(d(c.cost)) != 0 {
			t.Errorf("%+v cost %s, %v", c, sum, err)
		}
	}
	if got, err := PerThousand(d("95.55"), 333); err != nil || got.String() != "31.8182" {
		t.Errorf("333 at 95.55 cost %s, %v", got, err)
	}
	if _, err := PerThousand(d("999999999.9999"), math.MaxInt64); err == nil {
		t.Error("an amount that does not fit")
	}
}
