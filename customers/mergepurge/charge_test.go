package mergepurge

import (
	"testing"

	"github.com/govalues/decimal"
)

// The first two are the worked examples of the trade: 100,000 names at $100/M, 85 % net, $3/M running charge.
func TestCharge(t *testing.T) {
	t.Parallel()
	d := decimal.MustParse
	deal := Deal{PricePerThousand: d("100"), NetShare: d("0.85"), RunningCharge: d("3")}
	full := Deal{PricePerThousand: d("95.50"), NetShare: d("1"), RunningCharge: d("3"), ExtraPerThousand: d("8.25")}
	for name, c := range map[string]struct {
		deal                                    Deal
		gross, used                             int64
		chargeable, base, running, extra, total string
	}{
		"9,000 removed":       {deal, 100_000, 91_000, "91000", "9100", "27", "0", "9127"},
		"20,000 removed":      {deal, 100_000, 80_000, "85000", "8500", "45", "0", "8545"},
		"no net-name deal":    {full, 10_000, 7_500, "10000", "955", "0", "82.5", "1037.5"},
		"only what is used":   {Deal{PricePerThousand: d("100")}, 1_000, 333, "333", "33.3", "0", "0", "33.3"},
		"a share of a name":   {deal, 7, 0, "6", "0.6", "0.003", "0", "0.603"},
		"nothing delivered":   {deal, 0, 0, "0", "0", "0", "0", "0"},
		"more than the gross": {deal, 90, 100, "100", "10", "0", "0", "10"},
	} {
		got, err := charge(c.deal, c.gross, c.used)
		if err != nil {
			t.Fatal(name, err)
		}
		for _, v := range []struct {
			what, want string
			got        decimal.Decimal
		}{{"chargeable", c.chargeable, got.Chargeable}, {"base", c.base, got.Base}, {"running", c.running, got.Running}, {"extra", c.extra, got.Extra}, {"total", c.total, got.Total}} {
			if v.got.Cmp(d(v.want)) != 0 {
				t.Errorf("%s: %s %s, want %s", name, v.what, v.got, v.want)
			}
		}
	}
}
