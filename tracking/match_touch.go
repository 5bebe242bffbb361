package tracking

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/settings"
)

// windows give how long after a touch something counts as its answer, in seconds by channel.
func windows(v settings.Values) (channels []string, seconds []float64) {
	for _, w := range []struct {
		channel string
		days    int
	}{{"calls", v.MatchbackCallsDays}, {"email", v.MatchbackEmailDays}, {"post", v.MatchbackPostDays}, {"sms", v.MatchbackSMSDays}} {
		channels, seconds = append(channels, w.channel), append(seconds, (time.Duration(w.days)*24*time.Hour).Seconds())
	}
	return channels, seconds
}

// findTouchesTx ties items to the touch they answer: within the campaign that a code or the caller names, else, where
// the channel is known, to the latest one of that channel within its window. Among several people with the address it
// takes the one who got that touch. Cell and step of a touch fill in what the code leaves open.
func findTouchesTx(ctx context.Context, tx pgx.Tx, items []*item, v settings.Values) error {
	var (
		numbers                    []int32
		people, campaigns, steps   []int64
		channels, codes            []string
		ats                        []time.Time
		windowChannels, windowSecs = windows(v)
	)
	for n, it := range items {
		if it.channel == "" {
			if it.channel = it.r.Channel; it.channel == "" && it.campaignID == 0 && it.objects() && it.r.Phone == "" {
				it.channel = "email" // the only channel whose objections come without saying so
			}
		}
		// An order without a code is left to attribution.
		if it.unmatched != "" || it.campaignID == 0 && (it.channel == "" || it.r.Kind == KindOrder) {
			continue
		}
		for _, p := range it.people {
			numbers, people, campaigns, steps = append(numbers, int32(n)), append(people, p), append(campaigns, it.campaignID), append(steps, it.stepID)
			channels, codes, ats = append(channels, it.channel), append(codes, it.r.Keycode), append(ats, it.r.At)
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT ON (q.i) q.i, q.customer_id, coalesce(t.campaign_id, q.campaign_id), coalesce(t.step_id, 0),
			coalesce(t.cell_id, e.cell_id, 0), coalesce(t.channel, ''), CASE WHEN t.step_id IS NULL THEN '' ELSE coalesce(t.destination, '-') END
		FROM unnest(@numbers::int[], @people::bigint[], @campaigns::bigint[], @steps::bigint[], @channels::text[], @codes::text[], @ats::timestamptz[])
			AS q (i, customer_id, campaign_id, step_id, channel, keycode, at)
		LEFT JOIN touches t ON t.customer_id = q.customer_id AND t.state IN ('sending', 'sent', 'unconfirmed', 'bounced')
			AND (q.campaign_id = 0 OR t.campaign_id = q.campaign_id) AND (q.step_id = 0 OR t.step_id = q.step_id)
			AND (q.campaign_id <> 0 OR t.channel = q.channel AND t.sent_at <= q.at AND t.sent_at > q.at - (
				SELECT make_interval(secs => w.seconds) FROM unnest(@window_channels::text[], @window_seconds::float8[]) AS w (channel, seconds)
				WHERE w.channel = q.channel))
		LEFT JOIN enrollments e ON e.customer_id = q.customer_id AND e.campaign_id = q.campaign_id
		ORDER BY q.i, t.step_id IS NULL, (t.keycode = q.keycode) IS TRUE DESC, (t.channel = q.channel) DESC NULLS LAST, t.sent_at DESC NULLS LAST, q.customer_id, t.step_id`,
		pgx.NamedArgs{
			"numbers": numbers, "people": people, "campaigns": campaigns, "steps": steps, "channels": channels, "codes": codes,
			"ats": ats, "window_channels": windowChannels, "window_seconds": windowSecs,
		})
	if err != nil {
		return err
	}
	var n int32
	var customer, campaign, step, cell int64
	var channel, destination string
	_, err = pgx.ForEachRow(rows, []any{&n, &customer, &campaign, &step, &cell, &channel, &destination}, func() error {
		it := items[n]
		if it.cellID == 0 {
			it.cellID = cell
		}
		if step == 0 {
			return nil
		}
		it.campaignID, it.destination = campaign, destination
		if it.stepID == 0 {
			it.stepID = step
		}
		if it.channel == "" {
			it.channel = channel
		}
		i := slices.Index(it.people, customer)
		it.people[0], it.people[i] = it.people[i], it.people[0]
		return nil
	})
	return err
}
