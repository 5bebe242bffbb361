package rollup

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Check counts all of a campaign and names the lines that Read would give otherwise; none is as it should be. What Read has not
// counted yet is no difference, but then nothing can be told: it is an error.
func Check(ctx context.Context, tx pgx.Tx, c Config, campaign int64) ([]string, error) {
	all := []Dim{All, Step, Cell, List, Keycode, Medium, Day}
	for d := State; d <= Bought; d++ {
		all = append(all, d)
	}
	kept, err := Read(ctx, tx, c, []int64{campaign}, all...)
	if err != nil {
		return nil, err
	}
	if kept.AsOf != nil {
		return nil, fmt.Errorf("campaign %d: much has changed that is not counted yet", campaign)
	}
	r := reader{tx: tx, config: c, lines: map[key]*Line{}}
	for _, d := range all {
		r.dims = append(r.dims, int16(d))
	}
	states, err := loadStates(ctx, tx, []int64{campaign})
	if err != nil || len(states) == 0 {
		return nil, err
	}
	if err := r.count(ctx, states[0], []int64{whole}, wholeSQL); err != nil {
		return nil, err
	}
	var out []string
	for _, l := range kept.Lines {
		k := key{l.CampaignID, l.Dim, l.Item}
		want := r.lines[k]
		delete(r.lines, k)
		if want == nil {
			want = &Line{CampaignID: l.CampaignID, Dim: l.Dim, Item: l.Item}
		}
		if !same(l, *want) {
			out = append(out, fmt.Sprintf("breakdown %d, %q: counted %s, kept %s", l.Dim, l.Item, want, &l))
		}
	}
	for k, l := range r.lines {
		if !l.empty() {
			out = append(out, fmt.Sprintf("breakdown %d, %q: counted %s, nothing kept", k.dim, k.item, l))
		}
	}
	return out, nil
}

func same(a, b Line) bool {
	for i, n := range a.counts() {
		if *n != *b.counts()[i] {
			return false
		}
	}
	for i, m := range a.money() {
		if !m.Equal(*b.money()[i]) {
			return false
		}
	}
	difference := a.Squares - b.Squares
	return difference*difference <= 1e-12*(1+a.Squares*a.Squares)
}

// String shows the measures that are not 0.
func (l *Line) String() string {
	var out []string
	for i, n := range l.counts() {
		if *n != 0 {
			out = append(out, fmt.Sprintf("%s %d", counted[i], *n))
		}
	}
	for i, m := range l.money() {
		if !m.IsZero() {
			out = append(out, fmt.Sprintf("%s %s", amounts[i], m))
		}
	}
	return join(out)
}
