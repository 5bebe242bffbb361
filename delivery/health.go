package delivery

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"aldine/delivery/bounce"
	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/settings"
	"aldine/tracking"
)

// answersKept is over how many of a campaign's last messages the share of failures is taken.
const answersKept = 200

// health is what became of the last messages of a campaign on one channel, as far as this process sent them.
type health struct {
	answers  [answersKept]bool // true: failed
	n        int
	failed   int
	refusals int // in a row, for content or policy
}

// note takes one answer and gives a reason to pause, "" where there is none.
func (h *health) note(v *settings.Values, o *outcome) string {
	bad := o.State == "failed"
	if !bad && o.State != "sent" || o.alone {
		return ""
	}
	at := h.n % answersKept
	if h.n >= answersKept && h.answers[at] {
		h.failed--
	}
	h.answers[at] = bad
	h.n++
	if !bad {
		h.refusals = 0
		return ""
	}
	h.failed++
	switch {
	case o.ownFault():
		h.refusals++
	case o.cause != "":
		h.refusals = 0
	}
	if v.PauseRefusals > 0 && h.refusals >= v.PauseRefusals {
		return fmt.Sprintf("%d messages in a row were refused for their content or their sender, the last with “%s”", h.refusals, o.Reason)
	}
	if v.PauseFailurePct > 0 && h.failed*100 >= v.PauseFailurePct*answersKept {
		return fmt.Sprintf("%d of the last %d messages failed, the last with “%s”", h.failed, min(h.n, answersKept), o.Reason)
	}
	return ""
}

// ownFault tells whether the refusal was for the mail or its sender, which the next recipient's server may see alike.
func (o *outcome) ownFault() bool {
	return o.cause == bounce.Content || o.cause == bounce.Policy || o.cause == bounce.TooBig
}

// patients are the campaigns whose health is watched.
type patients struct {
	mu sync.Mutex
	of map[patient]*health
}

type patient struct {
	campaign int64
	channel  string
}

// note takes one answer of a batch; see health.note. After a reason to pause the count begins anew.
func (p *patients) note(b *batch, v *settings.Values, o *outcome) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil || len(p.of) > 1000 {
		p.of = map[patient]*health{}
	}
	key := patient{b.CampaignID, b.Channel}
	h := p.of[key]
	if h == nil {
		h = &health{}
		p.of[key] = h
	}
	why := h.note(v, o)
	if why != "" {
		delete(p.of, key)
	}
	return why
}

// pause holds a running campaign until a person has seen why.
func (s *Service) pause(ctx context.Context, b batch, why string) error {
	ctx = access.With(ctx, access.System)
	s.log.Warn("a campaign was paused", "campaign", b.Code, "step", b.StepKey, "channel", b.Channel, "reason", why)
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			UPDATE campaigns SET state = 'paused', pause_reason = @why, pause_step_id = @step, row_version = row_version + 1, updated_at = @now
			WHERE campaign_id = @campaign AND state = 'running'`,
			pgx.NamedArgs{"campaign": b.CampaignID, "step": b.StepID, "why": why, "now": s.now()})
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "campaign.pause", "campaign", b.CampaignID, map[string]any{
			"code": b.Code, "from": "running", "to": "paused", "step": b.StepKey, "reason": why})
	})
}

// hardBounces tells of addresses that do not exist: they are suppressed, as those of mails that came back are. What was sent
// is settled by then, so that a fault here costs no more than another try at the address.
func (s *Service) hardBounces(ctx context.Context, b batch, outcomes []outcome) {
	var found []tracking.Response
	for _, o := range outcomes {
		if !o.hard || o.State != "failed" || s.tracking == nil {
			continue
		}
		found = append(found, tracking.Response{
			Ref: fmt.Sprintf("refused:%d.%d.%d", b.CampaignID, b.StepID, o.CustomerID), Kind: tracking.KindBounce, Hard: true, At: s.now(),
			CustomerID: o.CustomerID, Email: o.to, CampaignID: b.CampaignID, StepID: b.StepID, Channel: b.Channel,
			Detail: map[string]any{"reason": o.Reason},
		})
	}
	for part := range slices.Chunk(found, tracking.MaxBatch) {
		if _, err := s.tracking.Record(ctx, "smtp", part); err != nil {
			s.log.Error("hard bounces were not recorded", "campaign", b.Code, "bounces", len(part), "error", err)
		}
	}
}
