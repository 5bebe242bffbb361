package rollup

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/settings"
	"aldine/internal/tally"
)

// Config is what figures depend on besides the rows.
type Config struct {
	Zone string         // days are those of this time zone
	Days map[string]int // how long after sending orders count, by channel
}

// ConfigOf takes the configuration out of the settings.
func ConfigOf(v settings.Values) Config {
	return Config{Zone: v.DefaultTimeZone, Days: map[string]int{"post": v.MatchbackPostDays, "calls": v.MatchbackCallsDays,
		"email": v.MatchbackEmailDays, "sms": v.MatchbackSMSDays}}
}

// Any is for breakdowns that do not depend on the configuration: State, Enrolled, Kind, Machine, Link, Funnel, CostKind, Reserved,
// Assigned and Answered.
var Any = Config{}

func (c Config) String() string { return fmt.Sprint(c.Zone, c.Days) }

// Window is the time in which orders count for or against a campaign.
type Window struct {
	From *time.Time // its launch; nil: not launched, nothing counts
	End  *time.Time // nil: nothing was sent yet, it is open
}

func (c Config) end(last *time.Time, channels []string) *time.Time {
	if last == nil {
		return nil
	}
	days := 0
	for _, ch := range channels {
		days = max(days, c.Days[ch])
	}
	end := last.AddDate(0, 0, days)
	return &end
}

const whole = math.MinInt64 // in place of a list of slices: all of the campaign

// ranges gives the arguments that name slices to countSQL and edgesSQL.
func ranges(campaign int64, slices []int64) pgx.NamedArgs {
	customers, firsts, lasts := []int64{}, []int64{}, []int64{}
	hours, froms, tills := []int64{}, []time.Time{}, []time.Time{}
	for _, n := range slices {
		switch {
		case n == whole:
			customers, firsts, lasts = []int64{0}, []int64{0}, []int64{0}
			hours, froms, tills = []int64{0}, []time.Time{{}}, []time.Time{{}}
		case n >= 0:
			customers, firsts, lasts = append(customers, n), append(firsts, n<<tally.Bits), append(lasts, (n+1)<<tally.Bits-1)
		default:
			from := time.Unix((-1-n)*3600, 0)
			hours, froms, tills = append(hours, n), append(froms, from), append(tills, from.Add(time.Hour))
		}
	}
	return pgx.NamedArgs{"campaign": campaign, "slices": customers, "firsts": firsts, "lasts": lasts, "hours": hours, "froms": froms, "tills": tills}
}

// state is what is kept of a campaign beside its totals.
type state struct {
	campaign int64
	config   string
	complete bool
	marked   bool
	sealed   bool // its hits are deleted: the figures stay as they are
	from     *time.Time
}

// folded tells whether the totals are those of a configuration.
func (s state) folded(c Config) bool {
	return s.sealed || s.complete && (c.Zone == "" || s.config == c.String())
}

func loadStates(ctx context.Context, tx pgx.Tx, campaigns []int64) ([]state, error) {
	rows, err := tx.Query(ctx, `
		SELECT c.campaign_id, c.launched_at, coalesce(r.config, ''), coalesce(r.complete, false),
			r.sealed_at IS NULL AND EXISTS (SELECT 1 FROM rollup_marks m WHERE m.campaign_id = c.campaign_id), r.sealed_at IS NOT NULL
		FROM campaigns c LEFT JOIN rollups r ON r.campaign_id = c.campaign_id WHERE c.campaign_id = ANY (@campaigns) ORDER BY c.campaign_id`,
		pgx.NamedArgs{"campaigns": campaigns})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s state, err error) {
		err = row.Scan(&s.campaign, &s.from, &s.config, &s.complete, &s.marked, &s.sealed)
		return s, err
	})
}

// edgesSQL gives what was sent last and on which channels: of the slices as they are, and of all others as they were counted.
func edgesSQL(all bool) string {
	return `
	WITH s AS (SELECT slice, first, last FROM unnest(@slices::bigint[], @firsts::bigint[], @lasts::bigint[]) AS s (slice, first, last)
	), sent AS (
		SELECT t.* FROM s CROSS JOIN LATERAL (SELECT t.sent_at, t.channel FROM touches t
			WHERE ` + within("t", all) + ` AND t.state || '' IN ('sent', 'bounced') OFFSET 0) t
	), kept AS (
		SELECT max(last_sent_at) AS at, coalesce(array_agg(DISTINCT channel) FILTER (WHERE channel IS NOT NULL), '{}') AS channels
		FROM rollup_slices k LEFT JOIN LATERAL unnest(k.channels) AS channel ON true
		WHERE k.campaign_id = @campaign AND NOT @all AND k.slice <> ALL (@slices::bigint[])
	)
	SELECT greatest(max(sent.sent_at), (SELECT at FROM kept)), coalesce(array_agg(DISTINCT sent.channel) FILTER (WHERE sent.channel IS NOT NULL), '{}') || (SELECT channels FROM kept)
	FROM sent`
}

// window finds the window of a campaign whose marked slices are given.
func (c Config) window(ctx context.Context, tx pgx.Tx, s state, slices []int64) (Window, error) {
	args := ranges(s.campaign, slices)
	all := len(slices) == 1 && slices[0] == whole
	args["all"] = all
	var last *time.Time
	var channels []string
	if err := tx.QueryRow(ctx, edgesSQL(all), args).Scan(&last, &channels); err != nil {
		return Window{}, err
	}
	return Window{From: s.from, End: c.end(last, channels)}, nil
}

// countArgs completes the arguments of countSQL.
func (c Config) countArgs(campaign int64, slices []int64, w Window) pgx.NamedArgs {
	args := ranges(campaign, slices)
	zone := c.Zone
	if zone == "" {
		zone = "UTC"
	}
	args["zone"], args["from"], args["end"] = zone, w.From, w.End
	return args
}
