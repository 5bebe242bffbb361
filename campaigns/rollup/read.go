package rollup

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// countNow is how many rows Read counts at most: as many as it may take a few tens of milliseconds for.
const countNow = 5000

// Figures are the lines of campaigns.
type Figures struct {
	Lines  []Line
	AsOf   *time.Time // where so much has changed that it was not counted yet: as of when all is counted; nil: now
	Window Window     // of the campaign, where it is one
}

// Of gives the lines of a breakdown.
func (f Figures) Of(d Dim) []Line {
	var out []Line
	for _, l := range f.Lines {
		if l.Dim == d {
			out = append(out, l)
		}
	}
	return out
}

// Read gives the lines of campaigns in some breakdowns, none of them empty, ordered by campaign, breakdown and item. tx shall see one
// view of the database. Campaigns that do not exist have no lines.
func Read(ctx context.Context, tx pgx.Tx, c Config, campaigns []int64, dims ...Dim) (Figures, error) {
	return read(ctx, tx, c, campaigns, "", dims)
}

// ReadTraffic is Read for Traffic since a day.
func ReadTraffic(ctx context.Context, tx pgx.Tx, c Config, campaigns []int64, since string) (Figures, error) {
	return read(ctx, tx, c, campaigns, since, []Dim{Traffic})
}

func read(ctx context.Context, tx pgx.Tx, c Config, campaigns []int64, since string, dims []Dim) (Figures, error) {
	r := reader{tx: tx, config: c, since: since, budget: countNow, dims: make([]int16, len(dims)), lines: map[key]*Line{}}
	for i, d := range dims {
		r.dims[i] = int16(d)
	}
	return r.read(ctx, campaigns)
}

func (r *reader) read(ctx context.Context, campaigns []int64) (Figures, error) {
	if err := r.all(ctx, campaigns); err != nil {
		return Figures{}, err
	}
	r.out.Lines = make([]Line, 0, len(r.lines))
	for _, l := range r.lines {
		if !l.empty() {
			r.out.Lines = append(r.out.Lines, *l)
		}
	}
	slices.SortFunc(r.out.Lines, Line.compare)
	return r.out, nil
}

type reader struct {
	tx     pgx.Tx
	config Config
	dims   []int16
	since  string
	budget int64 // rows that may still be counted
	lines  map[key]*Line
	out    Figures
}

type key struct {
	campaign int64
	dim      Dim
	item     string
}

func (r *reader) add(ctx context.Context, sql string, args pgx.NamedArgs) error {
	args["dims"], args["since"] = r.dims, r.since
	rows, err := r.tx.Query(ctx, sql, args)
	if err != nil {
		return err
	}
	var l Line
	_, err = pgx.ForEachRow(rows, l.dest(), func() error {
		k := key{l.CampaignID, l.Dim, l.Item}
		if kept := r.lines[k]; kept != nil {
			return kept.add(l)
		}
		kept := l
		r.lines[k] = &kept
		return nil
	})
	return err
}

const wanted = ` AND dim = ANY (@dims::smallint[]) AND (@since::text = '' OR item >= @since)`

var (
	totalsSQL = `SELECT campaign_id, dim, item, ` + selected("") + ` FROM rollup_totals WHERE campaign_id = ANY (@campaigns::bigint[])` + wanted
	keptSQL   = `SELECT campaign_id, dim, item, ` + selected("-") + ` FROM rollup_lines WHERE campaign_id = @campaign AND slice = ANY (@all::bigint[])` + wanted
	freshSQL  = freshOf(false)
	wholeSQL  = freshOf(true)
)

func freshOf(all bool) string {
	return `SELECT @campaign::bigint, dim, item, ` + selected("") + ` FROM (` + countSQL(all) + `) AS counted WHERE true` + wanted
}

// all reads campaigns: the totals of all at once, then those apart that have something to count.
func (r *reader) all(ctx context.Context, campaigns []int64) error {
	states, err := loadStates(ctx, r.tx, campaigns)
	if err != nil {
		return err
	}
	var folded []int64
	for _, s := range states {
		if s.folded(r.config) {
			folded = append(folded, s.campaign)
		} else if err := r.count(ctx, s, []int64{whole}, wholeSQL); err != nil {
			return err
		}
	}
	if err := r.add(ctx, totalsSQL, pgx.NamedArgs{"campaigns": folded}); err != nil {
		return err
	}
	for _, s := range states {
		if s.folded(r.config) {
			if err := r.rest(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// rest counts what is marked of a campaign, where that is not too much.
func (r *reader) rest(ctx context.Context, s state) (err error) {
	compared := slices.Contains(r.dims, int16(Bought))
	marked := []int64{}
	if s.marked {
		found, weight, oldest, err := pending(ctx, r.tx, s.campaign)
		if err != nil {
			return err
		}
		if weight > r.budget {
			if r.out.AsOf == nil || oldest.Before(*r.out.AsOf) {
				r.out.AsOf = oldest
			}
			if compared {
				r.out.Window, err = r.config.window(ctx, r.tx, s, marked)
			}
			return err
		}
		r.budget -= weight
		marked = found
	}
	if compared {
		if r.out.Window, err = r.config.window(ctx, r.tx, s, marked); err != nil {
			return err
		}
		if s.sealed {
			return nil
		}
		late, err := overtaken(ctx, r.tx, s.campaign, marked, r.out.Window.End)
		if err != nil {
			return err
		}
		marked = append(marked, late...)
	}
	if len(marked) == 0 {
		return nil
	}
	if err := r.add(ctx, keptSQL, pgx.NamedArgs{"campaign": s.campaign, "all": marked}); err != nil {
		return err
	}
	return r.add(ctx, freshSQL, r.config.countArgs(s.campaign, marked, r.out.Window))
}

func (r *reader) count(ctx context.Context, s state, of []int64, sql string) (err error) {
	if r.out.Window, err = r.config.window(ctx, r.tx, s, of); err != nil {
		return err
	}
	return r.add(ctx, sql, r.config.countArgs(s.campaign, of, r.out.Window))
}

// pending gives the marked slices, about how many rows they have, and the time of the oldest mark.
func pending(ctx context.Context, tx pgx.Tx, campaign int64) (marked []int64, weight int64, oldest *time.Time, err error) {
	err = tx.QueryRow(ctx, `
		WITH m AS (SELECT DISTINCT unnest(slices) AS slice FROM rollup_marks WHERE campaign_id = @campaign)
		SELECT coalesce(array_agg(m.slice ORDER BY m.slice), '{}'), coalesce(sum(coalesce(k.weight, 1000)), 0)::bigint, (SELECT min(at) FROM rollup_marks WHERE campaign_id = @campaign)
		FROM m LEFT JOIN rollup_slices k ON k.campaign_id = @campaign AND k.slice = m.slice`, pgx.NamedArgs{"campaign": campaign}).Scan(&marked, &weight, &oldest)
	return marked, weight, oldest, err
}

// overtaken gives the slices, apart from those marked, that were compared with the control cell over another time: something has been
// sent since that makes more orders count, or fewer.
func overtaken(ctx context.Context, tx pgx.Tx, campaign int64, marked []int64, end *time.Time) ([]int64, error) {
	rows, err := tx.Query(ctx, `
		SELECT slice FROM rollup_slices WHERE campaign_id = @campaign AND slice <> ALL (@marked::bigint[])
			AND (next_order_at <= coalesce(@end::timestamptz, 'infinity') OR last_order_at > coalesce(@end, 'infinity')) ORDER BY slice`,
		pgx.NamedArgs{"campaign": campaign, "marked": marked, "end": end})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
