package reports

import (
	"fmt"
	"testing"

	"github.com/govalues/decimal"
)

func points(f float64) string { return fmt.Sprintf("%+.2f", 100*f) }

func TestLift(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		x1, n1, x2, n2 int64
		want           string
	}{
		{460, 20000, 95, 5000, "+0.40 -0.03 +0.83"}, // domain.md, part 6
		{56, 70, 48, 80, "+20.00 +5.75 +34.25"},     // Wald
		{9, 10, 3, 10, "+60.00 +17.05 +80.90"},      // Newcombe 1998, table II (c), method 10
		{10, 10, 0, 20, "+100.00 +67.91 +100.00"},   // (g)
		{0, 100, 0, 100, "+0.00 -3.70 +3.70"},
	} {
		iv, _ := Lift(c.x1, c.n1, c.x2, c.n2)
		if got := points(iv.Value) + " " + points(iv.Low) + " " + points(iv.High); got != c.want {
			t.Errorf("%d/%d against %d/%d: %s, want %s", c.x1, c.n1, c.x2, c.n2, got, c.want)
		}
	}
	if iv, p := Lift(3, 10, 0, 0); iv != nil || p != 1 {
		t.Errorf("an empty cell gives %v, %v", iv, p)
	}
}

func TestHolm(t *testing.T) {
	t.Parallel()
	got := fmt.Sprint(holm([]float64{0.04, 0.01, 0.03}), holm([]float64{0.04}), holm([]float64{0.015, 0.024, 0.05}))
	if want := "[false true false] [true] [true true true]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestArithmeticOfTheDomain(t *testing.T) {
	t.Parallel()
	// $650 a thousand and $32 an order break even at 2.03 %.
	margin := decimal.MustParse("32")
	f := Figures{Quantity: 1000, Orders: 1, Cost: decimal.MustParse("650"), Revenue: &margin}
	if err := f.derive(decimal.MustParse("1")); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%.4f %s %s", 100**f.BreakEvenRate, f.CostPerThousand, f.ContributionPerOrder); got != "2.0312 650.00 32.00" {
		t.Error(got)
	}
	none := Figures{Revenue: &Money{}}
	if err := none.derive(decimal.MustParse("0.4")); err != nil {
		t.Fatal(err)
	}
	if none.ResponseRate != nil || none.OrderRate != nil || none.CostPerThousand != nil || none.CostPerResponse != nil ||
		none.CostPerOrder != nil || none.ContributionPerOrder != nil || none.BreakEvenRate != nil || none.ROI != nil {
		t.Errorf("a zero denominator must give nil: %+v", none)
	}
}
