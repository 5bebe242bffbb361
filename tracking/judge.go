package tracking

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/internal/tally"
)

// Some programs are known by one hit, others only by all hits on one message: they open the link that no person sees, or all links
// at once.
const (
	sweepTime  = 2 * time.Second  // two different links within it are a program's
	sweepTime3 = 10 * time.Second // three or more
	trapTime   = 10 * time.Minute // around a hit on the hidden link, all hits are the same program's
)

const (
	reasonTrap  = "hidden link"
	reasonSweep = "all links at once"
)

// rulesVersion numbers the rules by which hits are judged, those of Machine and of judge together. Each hit is stored with it. Raise it
// with every change of them: a reclassification looks only at hits of other versions.
const (
	rulesVersion = 1
	rulesText    = "1" // the same in a statement
)

// past is one stored hit.
type past struct {
	id       uuid.UUID
	customer int64
	campaign int64
	step     int64
	kind     Kind
	at       time.Time
	link     int64 // 0: none, or of a click the hidden one
	sentAt   *time.Time
	agent    string
	was      string // why it counted as a program's
	here     bool
	machine  bool
	rules    int16 // by which it was judged, 0 where they had no number

	swept bool
	why   string // by today's rules
}

// alone judges a hit by itself.
func (p *past) alone() string {
	switch {
	case p.was == "HEAD request" || p.was == "prefetched": // facts of the request, which are kept as reasons
		return p.was
	case p.here && tools.MatchString(p.agent):
		return ""
	case knownAgents.why(p.agent) != "":
		return knownAgents.why(p.agent)
	case p.sentAt != nil && !p.here && p.at.Before(p.sentAt.Add(tooSoon)):
		return tooSoonReason
	}
	return ""
}

// judge fills in why hits on one message are a program's, "" where a person made them.
func judge(hits []*past) {
	slices.SortFunc(hits, func(a, b *past) int { return cmp.Or(a.at.Compare(b.at), slices.Compare(a.id[:], b.id[:])) })
	for i, h := range hits {
		if h.why = h.alone(); h.kind != KindClick || h.why != "" {
			continue
		}
		links := map[int64]time.Duration{}
		for _, o := range hits[i:] {
			after := o.at.Sub(h.at)
			if after > sweepTime3 {
				break
			}
			if _, known := links[o.link]; !known && o.kind == KindClick && o.link != 0 && !o.here {
				links[o.link] = after
			}
		}
		quick := 0
		for _, after := range links {
			if after <= sweepTime {
				quick++
			}
		}
		if quick >= 2 || len(links) >= 3 {
			for _, o := range hits[i:] {
				if after := o.at.Sub(h.at); after <= sweepTime || len(links) >= 3 && after <= sweepTime3 {
					o.swept = o.kind == KindClick && !o.here
				}
			}
		}
	}
	for _, h := range hits {
		if h.kind == KindClick && h.link == 0 {
			for _, o := range hits {
				if o.why == "" && !o.here && o.at.Sub(h.at).Abs() <= trapTime {
					o.why = reasonTrap
				}
			}
			h.why = reasonTrap
		}
	}
	for _, h := range hits {
		if h.why == "" && h.swept {
			h.why = reasonSweep
		}
	}
}

const pastSQL = `
	SELECT r.response_id, r.customer_id, r.campaign_id, coalesce(r.step_id, 0), r.kind, r.at, coalesce(r.link_id, 0), t.sent_at,
		coalesce(r.detail ->> 'user_agent', ''), coalesce(r.detail ->> 'machine', ''), coalesce((r.detail ->> 'here')::boolean, false), r.machine, coalesce(r.rules, 0)
	FROM responses r LEFT JOIN touches t ON t.customer_id = r.customer_id AND t.campaign_id + 0 = r.campaign_id AND t.step_id + 0 = r.step_id
	WHERE r.customer_id = ANY(@people) AND (@campaign::bigint = 0 AND r.campaign_id + 0 > 0 OR r.campaign_id + 0 = @campaign) AND r.method = 'token'
		AND r.kind IN ('open', 'click') AND r.detail <> '{}' -- of a person who was erased nothing is left to judge by
	ORDER BY r.customer_id, r.campaign_id, r.step_id, r.at, r.response_id`

// judgeTx judges the hits of people on a campaign's messages anew, and marks what changes.
func (s *Service) judgeTx(ctx context.Context, tx pgx.Tx, campaign int64, people []int64) error {
	_, _, err := s.judgedTx(ctx, tx, campaign, people, true)
	return err
}

// judgedTx is judgeTx for one campaign or, where it is 0, for all. Unless every, messages are left out whose hits were all judged by
// today's rules. It tells how many hits it has judged and how many have another outcome now.
func (s *Service) judgedTx(ctx context.Context, tx pgx.Tx, campaign int64, people []int64, every bool) (looked, changed int64, err error) {
	if len(people) == 0 {
		return 0, 0, nil
	}
	rows, err := tx.Query(ctx, pastSQL, pgx.NamedArgs{"campaign": campaign, "people": people})
	if err != nil {
		return 0, 0, err
	}
	type message struct{ customer, campaign, step int64 }
	byMessage, stale := map[message][]*past{}, map[message]bool{}
	var all []*past
	var p past
	if _, err := pgx.ForEachRow(rows, []any{&p.id, &p.customer, &p.campaign, &p.step, &p.kind, &p.at, &p.link, &p.sentAt, &p.agent, &p.was, &p.here, &p.machine, &p.rules}, func() error {
		h := p
		if h.was == reasonSweep || h.was == reasonTrap {
			h.was = ""
		}
		m := message{h.customer, h.campaign, h.step}
		all, byMessage[m] = append(all, &h), append(byMessage[m], &h)
		stale[m] = stale[m] || every || h.rules != rulesVersion
		return nil
	}); err != nil {
		return 0, 0, err
	}
	for m, hits := range byMessage {
		if stale[m] {
			judge(hits)
			looked += int64(len(hits))
		}
	}
	var write verdicts
	var marks tally.Marks
	for _, h := range all {
		if !stale[message{h.customer, h.campaign, h.step}] {
			continue
		}
		other := (h.why != "") != h.machine
		if other {
			changed++
			marks.Add(h.campaign, h.customer)
		}
		if other || h.rules != rulesVersion {
			write.add(h)
		}
	}
	if err := marks.SetTx(ctx, tx, s.now()); err != nil {
		return 0, 0, err
	}
	return looked, changed, write.storeTx(ctx, tx)
}

// verdicts are what hits are judged to be, column by column.
type verdicts struct {
	who  []int64
	ids  []uuid.UUID
	ats  []time.Time
	whys []string
}

func (v *verdicts) add(h *past) {
	v.who, v.ids, v.ats, v.whys = append(v.who, h.customer), append(v.ids, h.id), append(v.ats, h.at), append(v.whys, h.why)
}

func (v *verdicts) storeTx(ctx context.Context, tx pgx.Tx) error {
	if len(v.ids) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		UPDATE responses r SET machine = q.why <> '', rules = @rules, detail = CASE
			WHEN q.why = coalesce(r.detail ->> 'machine', '') THEN r.detail
			WHEN q.why = '' THEN r.detail - 'machine'
			ELSE r.detail || jsonb_build_object('machine', q.why) END
		FROM unnest(@who::bigint[], @ids::uuid[], @ats::timestamptz[], @whys::text[]) AS q (customer_id, response_id, at, why)
		WHERE r.customer_id = q.customer_id AND r.response_id = q.response_id AND r.at = q.at`,
		pgx.NamedArgs{"rules": rulesVersion, "who": v.who, "ids": v.ids, "ats": v.ats, "whys": v.whys})
	return err
}

// recentHits remembers the last clicks on each message, to notice those that look like a program's together.
type recentHits struct {
	mu    sync.Mutex
	last  map[Token]seenLink // by the message: the token without its link
	begun time.Time
}

type seenLink struct {
	link int64
	at   time.Time
}

const recentKept = 100_000

// suspect tells whether a hit should be judged together with the others on its message.
func (r *recentHits) suspect(h *hit) bool {
	if h.here || h.kind != KindClick {
		return false
	}
	message := h.token
	message.LinkID = 0
	if h.token.LinkID == 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil || len(r.last) >= recentKept || h.at.Sub(r.begun) > time.Minute {
		r.last, r.begun = map[Token]seenLink{}, h.at
	}
	before, known := r.last[message]
	r.last[message] = seenLink{h.token.LinkID, h.at}
	return known && before.link != h.token.LinkID && h.at.Sub(before.at) <= sweepTime3
}
