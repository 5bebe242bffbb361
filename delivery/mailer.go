package delivery

import (
	"context"
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"aldine/customers"
	"aldine/delivery/email"
	"aldine/delivery/sms"
	"aldine/internal/fault"
)

// carryMails hands mails over, a connection at a time for each hand.
func (s *Service) carryMails(ctx context.Context, r *run, claim string) error {
	r.may = func(t *touch) bool { return s.limits.take(&r.renderer.settings, t.Destination, time.Now()) }
	hand := func() {
		var bodies [2][]byte // one is answered while the other is written
		n, vars := 0, r.renderer.vars()
		s.mails.Stream(ctx, email.Stream{
			Next: func() *email.Mail {
				for {
					t, ok := r.take()
					if !ok {
						return nil
					}
					p, ok := r.profiles[t.CustomerID]
					if !ok {
						r.done(t, deleted)
						continue
					}
					from, err := r.letterhead.write(&bodies[1-n], vars, t, p)
					if err != nil {
						r.done(t, broken(err))
						continue
					}
					n = 1 - n // the other one holds the mail before until Next is asked again
					return &email.Mail{From: from, To: t.Destination, Body: bodies[n], Owner: t}
				}
			},
			Begin: func(m *email.Mail) error { return r.begin(m.Owner.(*touch)) },
			Done:  func(m *email.Mail, err error) bool { return r.done(m.Owner.(*touch), ofMail(err)) },
		})
	}
	return s.carry(ctx, r, claim, hand, s.mails.Room)
}

var deleted = outcome{result: result{State: "failed", Reason: "the customer was deleted"}}

// letterhead is what all mails of a batch have in common.
type letterhead struct {
	renderer *renderer
	skeleton *email.Skeleton
	from     string
	domain   string
	dkim     *email.DKIM
	pixel    int  // number of the value in the HTML part behind which the pixel's address stands
	whole    bool // the HTML part has no fixed end: the pixel is put in mail by mail
	html     bool
	trap     bool // with the hidden link
	now      func() time.Time
}

func (s *Service) letterhead(r *renderer) (*letterhead, error) {
	fixed := r.template.Layout()
	l := &letterhead{renderer: r, from: r.settings.FromEmail, dkim: s.config.DKIM, trap: r.settings.TrapLink, now: s.now}
	leave := email.LeaveByLink
	if r.answers.Domain != "" {
		leave = email.LeaveByMail
	}
	_, l.domain, _ = strings.Cut(l.from, "@")
	html := fixed.HTML
	if l.html = len(html) > 1 || html[0] != ""; l.html {
		if html, l.pixel = email.PixelPlace(html); html == nil {
			html, l.whole = []string{"", ""}, true
		} else if l.trap {
			html = trapPlace(html, l.pixel)
		}
	}
	var err error
	l.skeleton, err = email.NewSkeleton(r.settings.FromName, l.from, email.Layout{Subject: fixed.Subject, Text: fixed.Text, HTML: html}, leave)
	return l, err
}

// write makes the mail of one customer; vars are the renderer's. from is where it comes back to if it cannot be delivered: a signed address that tells
// whose it was, or the sender's own where no domain is set up for that.
func (l *letterhead) write(body *[]byte, vars map[string]any, t *touch, p *customers.Profile) (from string, err error) {
	r := l.renderer
	values, leave, err := r.fill(vars, t, p)
	if err != nil {
		return "", err
	}
	from, id := r.answers.Marks(r.token(t.CustomerID), l.domain)
	if from == "" {
		from = l.from
	}
	if l.html {
		pixel, trap := r.urls.PixelURL(r.token(t.CustomerID)), ""
		if l.trap {
			trap = html.EscapeString(r.urls.TrapURL(r.token(t.CustomerID)))
		}
		switch {
		case l.whole:
			page := email.WithPixel(r.template.HTML(values), pixel)
			if l.trap {
				page = withTrap(page, html.EscapeString(pixel), trap)
			}
			values.HTML = []string{page}
		case l.trap:
			values.HTML = slices.Insert(values.HTML, l.pixel, trap, html.EscapeString(pixel))
		default:
			values.HTML = slices.Insert(values.HTML, l.pixel, html.EscapeString(pixel))
		}
	}
	*body, err = l.skeleton.Append((*body)[:0], &email.Fields{
		ID: id, To: t.Destination, UnsubscribeURL: leave.url, Date: l.now(),
		Subject: values.Subject, Text: values.Text, HTML: values.HTML, LeaveAddress: leave.mail,
	})
	if err == nil && l.dkim != nil {
		*body, err = l.dkim.Sign(*body, l.domain)
	}
	return from, err
}

func ofMail(err error) outcome {
	var e *email.Error
	switch {
	case err == nil:
		return outcome{result: result{State: "sent"}}
	case !errors.As(err, &e) || e.Class == email.Unknown:
		return outcome{result: result{State: "unconfirmed", Reason: err.Error()}}
	case e.Class == email.Refused:
		return outcome{result: result{State: "failed", Reason: e.Reason}, cause: e.Cause, hard: e.Hard, alone: e.Alone}
	case e.Held && (e.Err == nil || errors.Is(e, email.ErrStopped) || errors.Is(e, context.Canceled)):
		return outcome{result: result{State: "planned"}}
	}
	away := e.Code == 421 || e.Greeting || e.Held
	return outcome{result: result{State: "planned", Reason: e.Reason}, stop: away || e.Code == 0, away: away}
}

// textHands is how many short messages of one job are on their way at a time.
const textHands = 10

// carryTexts hands short messages over.
func (s *Service) carryTexts(ctx context.Context, r *run, claim string) error {
	var hands atomic.Int32
	hands.Store(1)
	hand := func() {
		for {
			t, ok := r.take()
			if !ok || !r.done(t, s.text(ctx, r, t)) {
				return
			}
		}
	}
	return s.carry(ctx, r, claim, hand, func() bool { return hands.Add(1) <= textHands })
}

func (s *Service) text(ctx context.Context, r *run, t *touch) outcome {
	p, ok := r.profiles[t.CustomerID]
	if !ok {
		return deleted
	}
	out, err := r.renderer.render(t, p)
	if err != nil {
		return broken(err)
	}
	text := strings.TrimSpace(out.Text)
	if text == "" {
		return broken(errors.New("the text is empty"))
	}
	if err := r.begin(t); errors.Is(err, email.ErrStopped) {
		return outcome{result: result{State: "planned"}}
	} else if err != nil {
		return outcome{result: result{State: "planned", Reason: "the journal cannot be written: " + err.Error()}, stop: true, away: true}
	}
	// Cut off half-way nobody would know whether it was taken, so the gateway's own time-out is the only one.
	ref, err := s.gateway.Send(context.WithoutCancel(ctx), sms.Message{
		ID: fmt.Sprintf("%d-%d-%d", r.batch.CampaignID, r.batch.StepID, t.CustomerID), To: t.Destination, From: r.renderer.settings.SMSSender, Text: text,
	})
	return ofText(ref, err)
}

func ofText(ref string, err error) outcome {
	var e *sms.Error
	switch {
	case err == nil:
		return outcome{result: result{State: "sent", Ref: ref}}
	case !errors.As(err, &e) || e.Class == sms.Unknown:
		return outcome{result: result{State: "unconfirmed", Reason: err.Error()}}
	case e.Class == sms.Refused:
		return outcome{result: result{State: "failed", Reason: e.Reason}}
	}
	return outcome{result: result{State: "planned", Reason: e.Reason}, stop: true, away: true}
}

// broken is a message that could not be written for this customer.
func broken(err error) outcome {
	reason := "the message could not be written"
	var f *fault.Error
	if errors.As(err, &f) {
		reason += ": " + f.Error()
	} else {
		reason += ": " + err.Error()
	}
	if r := []rune(reason); len(r) > 300 {
		reason = string(r[:300])
	}
	return outcome{result: result{State: "failed", Reason: reason}}
}
