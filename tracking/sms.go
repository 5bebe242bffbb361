package tracking

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aldine/customers/normal"
	"aldine/internal/fault"
	"aldine/internal/id"
	"aldine/internal/settings"
)

// Reply is what became of a text message, and the text to answer it with, "" for none. The one confirmation of a STOP
// carries no advertising.
type Reply struct {
	Text    string  `json:"reply,omitempty"`
	Keyword string  `json:"keyword,omitempty"` // stop, start or help
	Outcome Outcome `json:"outcome"`
}

// InboundSMS takes a text message from a customer's number. STOP and its like withdraw the consent of everybody who
// has that number, START gives it again, HELP is answered; anything else is a reply to the latest text message sent to
// that number within the window, or to the campaign of a keycode in the text. A number that nobody has is kept as
// unmatched, and its STOP holds all the same. ref is the gateway's id of the message: the same one again changes
// nothing and is answered alike, without a text.
func (s *Service) InboundSMS(ctx context.Context, from, to, text, ref string) (Reply, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return Reply{}, err
	}
	if len(ref) > maxRef || clean(ref, maxRef) != ref {
		return Reply{}, fault.BadField("ref", "is not an id of at most %d plain characters", maxRef)
	}
	m := message{to: clean(to, 100), text: clean(text, 2000), ref: ref, word: readKeyword(text)}
	if m.phone, err = normal.Phone(from, v.DefaultCountry); err != nil {
		m.phone, m.strange = clean(from, 100), true
	}
	var reply Reply
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		reply, err = s.inboundTx(ctx, tx, m, v)
		return err
	})
	if err == nil && !reply.Outcome.Repeated {
		kind := KindReply
		if m.word == wordStop {
			kind = KindUnsubscribe
		}
		s.metrics.responses.WithLabelValues(string(kind), reply.Outcome.State).Inc()
	}
	return reply, err
}

type message struct {
	phone, to, text, ref string
	strange              bool // the sender is no phone number: a short code, a name
	word                 keyword
}

func (s *Service) inboundTx(ctx context.Context, tx pgx.Tx, m message, v settings.Values) (Reply, error) {
	it := &item{single: true, id: id.New(), method: "number", r: Response{
		Ref: m.ref, Kind: KindReply, At: s.now(), Phone: m.phone, Channel: "sms",
		Detail: map[string]any{"text": m.text, "to": m.to},
	}}
	items, out := []*item{it}, make([]Outcome, 1)
	reply := Reply{Keyword: string(m.word)}
	if m.word != wordNone {
		it.r.Detail["keyword"] = string(m.word)
	}
	if m.word == wordStop {
		it.r.Kind = KindUnsubscribe
	}
	if m.word == wordNone {
		if code := codeIn(m.text); code != "" {
			it.r.Keycode, it.method = code, "keycode"
		}
	}
	if fresh, err := s.knownTx(ctx, tx, sourceSMS, items, out); err != nil || len(fresh) == 0 {
		reply.Outcome = out[0]
		return reply, err
	}
	if err := findPeopleTx(ctx, tx, items); err != nil {
		return Reply{}, err
	}
	if err := tieTx(ctx, tx, it, v); err != nil {
		return Reply{}, err
	}
	_, lost, err := claimManyTx(ctx, tx, sourceSMS, items)
	if err != nil {
		return Reply{}, err
	}
	if len(lost) > 0 { // the gateway sent it twice at the same time
		_, err := s.knownTx(ctx, tx, sourceSMS, lost, out)
		reply.Outcome = out[0]
		return reply, err
	}
	if err := s.obeyTx(ctx, tx, m, it.people); err != nil {
		return Reply{}, err
	}
	if it.unmatched != "" {
		err = keepTx(ctx, tx, sourceSMS, items)
	} else {
		err = s.storeTx(ctx, tx, []row{it.row()})
	}
	if err != nil {
		return Reply{}, err
	}
	if err := outcomesTx(ctx, tx, items, out); err != nil {
		return Reply{}, err
	}
	reply.Outcome, reply.Text = out[0], answer(m, v.CompanyName)
	return reply, nil
}

// tieTx ties a message to the touch or campaign it answers.
func tieTx(ctx context.Context, tx pgx.Tx, it *item, v settings.Values) error {
	items := []*item{it}
	if it.r.Keycode != "" {
		if err := findCodesTx(ctx, tx, items); err != nil {
			return err
		}
		if it.unmatched != "" { // a word that looks like a code by chance
			it.unmatched, it.r.Keycode, it.method = "", "", "number"
		}
	}
	if word := it.r.Detail["keyword"]; word == nil || word == string(wordStop) { // START and HELP answer no campaign
		if err := findTouchesTx(ctx, tx, items, v); err != nil {
			return err
		}
	}
	switch {
	case len(it.people) == 0 && it.campaignID == 0:
		it.unmatched = "unknown number " + it.r.Phone
	case len(it.people) > 1 && it.destination == "" && it.r.Detail["keyword"] == nil && it.campaignID == 0:
		it.unmatched = fmt.Sprintf("%d customers share the number %s", len(it.people), it.r.Phone)
	}
	return nil
}

// stopReason marks suppressions that a START lifts again.
const stopReason = "STOP by text message"

// obeyTx does what a keyword asks for: for everybody with the number, and for the number itself, so that a customer
// who gets it later is not written to either.
func (s *Service) obeyTx(ctx context.Context, tx pgx.Tx, m message, people []int64) error {
	if m.word != wordStop && m.word != wordStart {
		return nil
	}
	now := s.now()
	changes := make([]consentChange, len(people))
	for i, p := range people {
		changes[i] = consentChange{customerID: p, channel: "sms", granted: m.word == wordStart, at: now}
	}
	if err := consentTx(ctx, tx, "sms: "+string(m.word), changes); err != nil {
		return err
	}
	args := pgx.NamedArgs{"phone": m.phone, "id": id.New(), "reason": stopReason, "now": now}
	sql := `DELETE FROM suppressions WHERE scope = 'phone' AND match_key = @phone AND channel = 'sms' AND reason = @reason`
	if m.word == wordStop {
		sql = `
			INSERT INTO suppressions (scope, match_key, channel, suppression_id, value, reason, source, created_at)
			VALUES ('phone', @phone, 'sms', @id, @phone, @reason, 'sms', @now)
			ON CONFLICT (scope, match_key, channel) DO NOTHING`
	}
	_, err := tx.Exec(ctx, sql, args)
	return err
}

func answer(m message, company string) string {
	if m.strange {
		return "" // nobody is there to read it
	}
	switch m.word {
	case wordStop:
		return company + ": You are unsubscribed and will get no more text messages. Reply START to get them again."
	case wordStart:
		return company + ": You will get our text messages again. Reply STOP to end them, HELP for help."
	case wordHelp:
		return company + ": Reply STOP to get no more text messages, START to get them again."
	}
	return ""
}
