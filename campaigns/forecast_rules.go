package campaigns

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/internal/settings"
	"aldine/segments"
)

// drawn is how many customers are asked, about, how often they were contacted; of more the others are taken to be like them.
const drawn = 20_000

// often counts the customers of the audience who cannot get another message of a channel now, as the plan does. Every @nth customer
// is asked, by a number that has nothing to do with who they are.
func often(where string, media []string) string {
	var counts []string
	for i := range media {
		counts = append(counts, fmt.Sprintf(`count(*) FILTER (WHERE (SELECT count(*) FROM touches h WHERE h.customer_id = c.customer_id AND h.channel = (@media::text[])[%[1]d]
				AND (h.state = 'sent' AND h.sent_at > @capped_since::timestamptz OR h.state || '' IN ('planned', 'sending', 'unconfirmed'))) >= (@caps::bigint[])[%[1]d])`, i+1))
	}
	return `SELECT ARRAY[` + strings.Join(counts, ", ") + `]::bigint[]
		FROM customers c WHERE (@nth::bigint = 1 OR hashint8extended(c.customer_id, 4) % @nth = 0) AND (` + where + `)`
}

// capped tells for each send step how many of the audience got so many messages of its medium lately that they get no more now.
func (s *Service) capped(ctx context.Context, tx pgx.Tx, c Campaign, f *Forecast) error {
	v, err := s.settings.Get(ctx)
	if err != nil || f.Audience == 0 {
		return err
	}
	var media []string
	var caps []int
	at := map[string]int{}
	for _, st := range f.Steps {
		if _, known := at[st.Channel]; !known && v.Cap(st.Channel) > 0 {
			at[st.Channel] = len(media)
			media, caps = append(media, st.Channel), append(caps, v.Cap(st.Channel))
		}
	}
	if len(media) == 0 {
		return nil
	}
	catalog, err := segments.LoadCatalog(ctx, tx)
	if err != nil {
		return err
	}
	compiled, err := catalog.Compile(c.Expression, s.now())
	if err != nil {
		return err
	}
	where, args := compiled.Where("c", "w")
	nth := max(1, f.Audience/drawn)
	maps.Copy(args, pgx.NamedArgs{"media": media, "caps": caps, "nth": nth, "capped_since": s.now().AddDate(0, 0, -v.CapDays)})
	var counts []int64
	if err := tx.QueryRow(ctx, often(where, media), args).Scan(&counts); err != nil {
		return err
	}
	for i := range f.Steps {
		st := &f.Steps[i]
		if k, ok := at[st.Channel]; ok {
			st.Capped = min(counts[k]*nth*st.Volume/f.Audience, st.Volume)
		}
	}
	for k, medium := range media {
		if n := counts[k] * nth; n > 0 {
			f.Warnings = append(f.Warnings, tooOften(n, nth > 1, medium, v))
		}
	}
	return nil
}

func tooOften(n int64, about bool, medium string, v settings.Values) string {
	words := map[string]string{"email": "e-mail", "sms": "SMS", "post": "letter", "calls": "call"}
	few, lead, who := fmt.Sprintf("%d %ss", v.Cap(medium), words[medium]), "", "customers have"
	if medium == "sms" {
		few = fmt.Sprintf("%d SMS", v.Cap(medium))
	}
	if v.Cap(medium) == 1 {
		few = "one " + words[medium]
	}
	if about {
		lead = "About "
	}
	if n == 1 {
		who = "customer has"
	}
	return english.Sprintf("%s%d %s had %s in %d days or will have, as many as the settings allow: today they would be left out", lead, n, who, few, v.CapDays)
}
