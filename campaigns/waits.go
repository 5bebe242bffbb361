package campaigns

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"aldine/internal/pace"
	"aldine/internal/settings"
)

var english = message.NewPrinter(language.English) // thousands are separated

// Wait tells of a rule that lets planned messages of a step wait though nothing is wrong.
type Wait struct {
	StepID  int64      `json:"step_id"`
	Step    string     `json:"step"`
	Channel string     `json:"channel"`
	Rule    string     `json:"rule" enum:"window,ramp,rate"`
	Message string     `json:"message"` // in plain words
	Planned int64      `json:"planned" doc:"Messages of the step that are not sent yet."`
	Next    *time.Time `json:"next" doc:"When the next ones go; null: now, a few at a time."`
}

// waits looks at the rules for each step that has planned messages. It follows from the settings, the clock and the queue; nothing is
// stored for it.
func (s *Service) waits(ctx context.Context, q Querier, d Details) ([]Wait, error) {
	if d.State != Running && d.State != Finished {
		return nil, nil
	}
	var out []Wait
	var v settings.Values
	for _, step := range d.Steps {
		planned := step.Touches["planned"]
		if planned == 0 || step.Channel != "email" && step.Channel != "sms" {
			continue
		}
		if v.CapDays == 0 {
			var err error
			if v, err = s.settings.Get(ctx); err != nil {
				return nil, err
			}
		}
		add := func(rule, text string, next *time.Time) {
			out = append(out, Wait{step.ID, step.Key, step.Channel, rule, text, planned, next})
		}
		closed, err := s.closed(ctx, q, d.ID, step.ID, hours(step.Config.Hours, v, step.Channel), v, add)
		if err != nil {
			return nil, err
		}
		if step.Channel != "email" {
			continue
		}
		if err := s.ramping(ctx, q, v, planned, closed, add); err != nil {
			return nil, err
		}
		if closed == nil {
			rates(v, planned, add)
		}
	}
	return out, nil
}

func hours(own func() (pace.Window, bool), v settings.Values, channel string) pace.Window {
	if w, ok := own(); ok {
		return w
	}
	return v.Window(channel)
}

type addWait func(rule, text string, next *time.Time)

// closed tells of hours that are over, and gives when they begin again; nil where messages go now.
func (s *Service) closed(ctx context.Context, q Querier, campaign, step int64, w pace.Window, v settings.Values, add addWait) (*time.Time, error) {
	now := s.now()
	if !w.Local {
		next := w.Next(now, v.Zone())
		if !next.After(now) {
			return nil, nil
		}
		add("window", fmt.Sprintf("its messages go %s, by the clock of %s", w.Words(), v.DefaultTimeZone), &next)
		return &next, nil
	}
	// Whose hours begin when, the queue knows. It lives by the real clock.
	var next *time.Time
	var ready bool
	err := q.QueryRow(ctx, `
		SELECT min(scheduled_at) FILTER (WHERE state = 'scheduled' AND scheduled_at > @soon), coalesce(bool_or(state <> 'scheduled'), false)
		FROM river_job WHERE kind = 'delivery_send' AND state IN ('scheduled', 'available', 'running')
			AND args ->> 'campaign_id' = @campaign::bigint::text AND args ->> 'step_id' = @step::bigint::text`,
		pgx.NamedArgs{"campaign": campaign, "step": step, "soon": time.Now().Add(5 * time.Second)}).Scan(&next, &ready)
	if err != nil || next == nil {
		return nil, err
	}
	at := now.Add(time.Until(*next)).Round(time.Minute)
	add("window", "its messages go "+w.Words()+", by each customer's own clock", &at)
	if ready {
		return nil, nil
	}
	return &at, nil
}

// ramping tells of the volume of a new sender.
func (s *Service) ramping(ctx context.Context, q Querier, v settings.Values, planned int64, closed *time.Time, add addWait) error {
	r := v.Ramp()
	day, err := r.Look(ctx, q, s.now())
	if err != nil || !day.Limited || day.Left() >= planned {
		return err
	}
	text := english.Sprintf("%s is new as a sender: %d of today's %d mails are sent", r.Sender, day.Taken, day.Allowed)
	if day.Left() > 0 {
		if closed == nil {
			add("ramp", text, nil)
		}
		return nil
	}
	next := day.Next()
	if closed != nil && closed.After(next) {
		next = *closed
	}
	if day.Tomorrow < 1<<40 {
		text += english.Sprintf(", tomorrow at most %d", day.Tomorrow)
	}
	add("ramp", text, &next)
	return nil
}

// rates tells of rates that let the planned mails take more than a minute.
func rates(v settings.Values, planned int64, add addWait) {
	if n := int64(v.EmailPerMinute); n > 0 && planned > n {
		add("rate", english.Sprintf("at most %d mails a minute go from each process that sends: about %s for those that are planned", n, spell(planned/n)), nil)
	}
	if n := v.EmailDomainMinute; n > 0 && planned > int64(n) {
		add("rate", english.Sprintf("at most %d mails a minute go to one domain, from each process that sends", n), nil)
	}
}

func spell(minutes int64) string {
	switch {
	case minutes < 2:
		return "a minute"
	case minutes < 120:
		return fmt.Sprintf("%d minutes", minutes)
	case minutes < 48*60:
		return fmt.Sprintf("%d hours", minutes/60)
	}
	return fmt.Sprintf("%d days", minutes/60/24)
}
