package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"aldine/customers"
	"aldine/delivery/email"
	"aldine/delivery/sms"
	"aldine/internal/fault"
)

func (s *Service) mailer(r *renderer) sender {
	from := r.settings.FromEmail
	_, domain, _ := strings.Cut(from, "@")
	return func(ctx context.Context, t touch, p customers.Profile) outcome {
		out, unsubscribe, err := r.render(t, p)
		if err != nil {
			return broken(err)
		}
		body, err := email.Compose(email.Message{
			ID: fmt.Sprintf("%d.%d.%d@%s", r.batch.CampaignID, r.batch.StepID, t.CustomerID, domain), FromName: r.settings.FromName, From: from,
			To: t.Destination, Subject: out.Subject, Text: out.Text, HTML: email.WithPixel(out.HTML, r.urls.PixelURL(r.token(t.CustomerID))),
			UnsubscribeURL: unsubscribe, Date: s.now(),
		})
		if err != nil {
			return broken(err)
		}
		return ofMail(s.mails.Send(ctx, from, t.Destination, body))
	}
}

func ofMail(err error) outcome {
	var e *email.Error
	switch {
	case err == nil:
		return outcome{result: result{State: "sent"}}
	case !errors.As(err, &e) || e.Class == email.Unknown:
		return outcome{result: result{State: "unconfirmed", Reason: err.Error()}}
	case e.Class == email.Refused:
		return outcome{result: result{State: "failed", Reason: e.Reason}}
	}
	return outcome{result: result{State: "planned", Reason: e.Reason}, stop: e.Code == 0 || e.Code == 421 || e.Greeting}
}

func (s *Service) texter(r *renderer) sender {
	return func(ctx context.Context, t touch, p customers.Profile) outcome {
		out, _, err := r.render(t, p)
		if err != nil {
			return broken(err)
		}
		text := strings.TrimSpace(out.Text)
		if text == "" {
			return broken(errors.New("the text is empty"))
		}
		if ctx.Err() != nil {
			return outcome{result: result{State: "planned", Reason: "the program is stopping"}, stop: true}
		}
		// Cut off half-way nobody would know whether it was taken, so the gateway's own time-out is the only one.
		ref, err := s.gateway.Send(context.WithoutCancel(ctx), sms.Message{
			ID: fmt.Sprintf("%d-%d-%d", r.batch.CampaignID, r.batch.StepID, t.CustomerID), To: t.Destination, From: r.settings.SMSSender, Text: text,
		})
		return ofText(ref, err)
	}
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
	return outcome{result: result{State: "planned", Reason: e.Reason}, stop: true}
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
