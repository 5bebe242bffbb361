package segments

import (
	"math/big"
	"testing"
)

// Comparing the uncut quotient as uncut says means the same as cutting it off and comparing then, on both sides of 0 and at it.
func TestUncutQuotients(t *testing.T) {
	t.Parallel()
	literals := []*big.Rat{}
	for _, s := range []string{"0", "0.5", "-0.5", "0.0000005", "-0.0000005", "0.000001", "-0.000001", "0.333333", "0.3333333", "-0.333333", "-0.3333333", "2", "-2"} {
		r, _ := new(big.Rat).SetString(s)
		literals = append(literals, r)
	}
	for over := int64(-7); over <= 7; over++ {
		for _, under := range []int64{1, 3, 7, 3_000_000, 2_000_000} {
			q := big.NewRat(over, under)
			cut := new(big.Rat).SetFrac(quotient(new(big.Rat).Mul(q, new(big.Rat).SetInt(million)), big.NewRat(1, 1)), million)
			for _, literal := range literals {
				for _, op := range []string{">", ">=", "<", "<="} {
					other, limit, ok := uncut(op, literal)
					if !ok {
						t.Fatal(op)
					}
					if want, got := holds(cut.Cmp(literal), op), holds(q.Cmp(limit), other); got != want {
						t.Fatalf("%s %s %s: %v, but as %s %s: %v", q, op, literal, want, other, limit, got)
					}
				}
			}
		}
	}
	if _, _, ok := uncut("==", literals[0]); ok {
		t.Error("== has no limit on one side")
	}
}
