package api

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/google/uuid"

	"aldine/delivery/inbound"
	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/tracking"
)

func asInvalid(err error, f **fault.Error) bool {
	return errors.As(err, f) && (*f).Kind == fault.Invalid
}

// response is one to record.
type response struct {
	tracking.Response
	At moment `json:"at,omitzero"`
}

// outcome is what became of a response.
type outcome struct {
	ID uuid.UUID `json:"id" doc:"Of the response, or of what is kept for review."`
	tracking.Outcome
}

// inboundMail is a raw message.
type inboundMail struct {
	To string `query:"to" maxLength:"400" doc:"The address that the mail was sent to (envelope recipient). Without it the header is asked."`

	upload upload
}

// Resolve takes the raw body of the request.
func (m *inboundMail) Resolve(c huma.Context) []error {
	r := humaecho.Unwrap(c).Request()
	m.upload = upload{r.Body, r.ContentLength}
	return nil
}

func (a *API) responses() {
	const tag = "Responses"
	addMany(a, op{id: "recordResponses", method: http.MethodPost, path: "/responses", summary: "Report one response or several", tag: tag, need: access.ResponsesWrite,
		doc: "By keycode, coupon, campaign or customer. Idempotent by ref, per token: the same ref again gives the first outcome. A code that belongs " +
			"nowhere is kept for review, and its outcome says unmatched and why."},
		func(ctx context.Context, in *oneOrMany[response]) (out oneOrPage[outcome], err error) {
			given, err := in.take("response")
			if err != nil {
				return out, err
			}
			list := make([]tracking.Response, len(given))
			for i, r := range given {
				list[i] = r.Response
				list[i].At = r.At.Time
			}
			done, err := a.Tracking.Record(ctx, access.From(ctx).Name, list)
			for _, o := range done {
				out.items = append(out.items, outcome{o.ResponseID, o})
				out.created = !o.Repeated
			}
			return out, err
		})
	type list struct {
		Limits
		After string `query:"after"`
	}
	add(a, op{id: "listUnmatched", method: http.MethodGet, path: "/responses/unmatched", summary: "Responses that belong nowhere yet", tag: tag, need: access.ResponsesWrite},
		func(ctx context.Context, in *list) (page[tracking.UnmatchedResponse], error) {
			p, err := a.Tracking.Unmatched(ctx, in.After, in.Limit)
			return paged(p.Responses, p.Next), err
		})
	type resolution struct {
		Keycode    string `json:"keycode,omitempty" doc:"The right code."`
		CustomerID int64  `json:"customer_id,omitempty" doc:"Who it was."`
		Dismiss    bool   `json:"dismiss,omitempty" doc:"It belongs nowhere."`
	}
	type resolve struct {
		ID   uuid.UUID `path:"id"`
		Body resolution
	}
	add(a, op{id: "resolveUnmatched", method: http.MethodPost, path: "/responses/unmatched/{id}/resolve", summary: "Say where a response belongs", tag: tag, need: access.ResponsesWrite},
		func(ctx context.Context, in *resolve) (tracking.Outcome, error) {
			return a.Tracking.Resolve(ctx, in.ID, tracking.Resolution{Keycode: in.Body.Keycode, CustomerID: in.Body.CustomerID, Dismiss: in.Body.Dismiss})
		})
	type inboundSMS struct {
		From string `json:"from"`
		To   string `json:"to"`
		Text string `json:"text"`
		Ref  string `json:"ref,omitempty" doc:"The provider's id of the message: the same one again is not taken twice."`
	}
	add(a, op{id: "inboundSMS", method: http.MethodPost, path: "/sms/inbound", summary: "A text message from a customer", tag: tag, need: access.ResponsesWrite,
		doc: "For the SMS provider. STOP and its like withdraw consent at once; reply is the text to answer with, if any."},
		func(ctx context.Context, in *body[inboundSMS]) (tracking.Reply, error) {
			return a.Tracking.InboundSMS(ctx, in.Body.From, in.Body.To, in.Body.Text, in.Body.Ref)
		})
	add(a, op{id: "inboundMail", method: http.MethodPost, path: "/inbound/mail", summary: "A mail that came back", tag: tag, need: access.ResponsesWrite,
		doc: "Bounce, complaint, automatic reply, answer or unsubscription, as it came: the body is the raw message (message/rfc822, at most 4 MB). " +
			"An address that does not exist and a complaint suppress it at once. The same mail again changes nothing.", upload: true, media: "message/rfc822"},
		func(ctx context.Context, in *inboundMail) (inbound.Result, error) {
			raw, err := io.ReadAll(in.upload.body)
			if long := (*http.MaxBytesError)(nil); errors.As(err, &long) {
				return inbound.Result{}, err
			}
			if err != nil {
				return inbound.Result{}, fault.Wrap(fault.Invalid, err, "The message broke off")
			}
			return a.Inbound.Receive(ctx, in.To, raw)
		})
}
