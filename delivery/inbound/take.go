package inbound

import (
	"context"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/customers/normal"
	"aldine/delivery/bounce"
	"aldine/internal/fault"
	"aldine/internal/settings"
	"aldine/tracking"
)

// proof is what speaks for a mail being about a touch.
type proof int

const (
	none   proof = iota
	named        // the address alone
	known        // a Message-ID that looks like ours, and the address that the touch went to
	signed       // a token of ours
)

// unproven is why a report from outside changes nothing by itself. A person who resolves it lets it count.
const unproven = "nothing in it proves that it is about a mail of ours"

const maxReports = 50 // recipients of one mail that are looked at

// reportsTx takes in what a machine reports.
func (s *Service) reportsTx(ctx context.Context, tx pgx.Tx, m mail, token tracking.Token, isSigned bool, v settings.Values) (Result, error) {
	if !isSigned {
		token, isSigned = s.quoted(m.raw)
	}
	var about touch
	if isSigned {
		var err error
		if about, isSigned, err = touchTx(ctx, tx, token); err != nil {
			return Result{}, err
		}
	}
	reports := m.Reports[:min(len(m.Reports), maxReports)]
	if isSigned { // a mail of ours has one recipient; servers behind it may name another one, to whom it was passed on
		reports = []bounce.Report{mostApt(reports, about.Destination)}
	}
	var first Result
	var made []uuid.UUID
	var people []int64
	for i, r := range reports {
		t, p := about, signed
		if !isSigned {
			var err error
			if t, p, err = s.guessTx(ctx, tx, m, r); err != nil {
				return Result{}, err
			}
		}
		res, err := s.reportTx(ctx, tx, m, r, t, p, v)
		if err != nil {
			return Result{}, err
		}
		made, people = append(made, res.made...), append(people, res.people...)
		if i == 0 || first.Outcome == Ignored && res.Outcome != Ignored {
			first = res
		}
	}
	first.made, first.people = made, people
	return first, nil
}

func mostApt(reports []bounce.Report, destination string) bounce.Report {
	for _, r := range reports {
		if strings.EqualFold(r.Recipient, destination) {
			return r
		}
	}
	return reports[0]
}

// guessTx finds the touch of a report that brings no token.
func (s *Service) guessTx(ctx context.Context, tx pgx.Tx, m mail, r bounce.Report) (touch, proof, error) {
	ids := m.Refs
	if r.MessageID != "" {
		ids = []string{r.MessageID}
	}
	for _, id := range ids[:min(len(ids), 5)] {
		t, _, ok := s.signer.ReadMessageID(id)
		if !ok {
			continue
		}
		found, ok, err := touchTx(ctx, tx, t)
		if err != nil {
			return touch{}, none, err
		}
		if ok && (strings.EqualFold(found.Destination, r.Recipient) || m.vouched && r.Recipient == "") {
			return found, known, nil
		}
	}
	if r.Recipient != "" {
		return touch{}, named, nil
	}
	return touch{}, none, nil
}

// reportTx does what follows from one report.
func (s *Service) reportTx(ctx context.Context, tx pgx.Tx, m mail, r bounce.Report, t touch, p proof, v settings.Values) (Result, error) {
	res := Result{Kind: string(r.Kind), Outcome: Ignored, CampaignID: t.CampaignID, StepID: t.StepID}
	response := tracking.Response{Kind: tracking.KindBounce, Detail: map[string]any{"by": "mail", "bounce": string(r.Kind)}}
	for name, value := range map[string]string{"cause": string(r.Cause), "status": r.Status, "reason": r.Reason, "recipient": r.Recipient} {
		if value = plain(value, 300); value != "" {
			response.Detail[name] = value
		}
	}
	switch r.Kind {
	case bounce.Delayed:
		res.Reason = "the server is still trying"
		return res, nil
	case bounce.AutoReply:
		res.Reason = "an automatic reply is no answer of a person"
		return res, nil
	case bounce.Unknown:
		if p >= known {
			res.Reason = "nothing follows from it: " + r.Reason
			return res, nil
		}
		return s.keepTx(ctx, tx, res, response, "a report that tells neither a bounce nor a complaint")
	case bounce.Complaint:
		response.Kind = tracking.KindComplaint
	case bounce.Hard:
		response.Hard = true
	}
	address := r.Recipient
	if p >= known {
		response.CustomerID, response.CampaignID, response.StepID, address = t.CustomerID, t.CampaignID, t.StepID, t.Destination
	}
	if p != signed && !m.vouched { // anybody can write to the listener that an address does not exist, or complains
		response.Channel = "email"
		if clean, err := normal.Email(address); err == nil {
			response.Email = clean
		}
		return s.keepTx(ctx, tx, res, response, unproven)
	}
	return s.recordTx(ctx, tx, res, response, address, p == signed, v)
}

// replyTx takes in what a person writes.
func (s *Service) replyTx(ctx context.Context, tx pgx.Tx, m mail, token tracking.Token, isSigned bool, v settings.Values) (Result, error) {
	res := Result{Kind: string(tracking.KindReply), Outcome: Ignored}
	response := tracking.Response{Kind: tracking.KindReply, Channel: "email",
		Detail: map[string]any{"by": "mail", "subject": plain(m.Subject, 150), "text": plain(m.Text, 900), "from": plain(m.From, 150)}}
	if m.Machine {
		if m.Daemon {
			response.Kind = tracking.KindBounce
		}
		res.Kind = string(bounce.Unknown)
		return s.keepTx(ctx, tx, res, response, "a machine's mail that could not be understood")
	}
	if tracking.WantsOut(m.Text) || m.Text == "" && tracking.WantsOut(m.Subject) {
		response.Kind = tracking.KindUnsubscribe
		res.Kind = string(response.Kind)
	}
	tokens := []tracking.Token{token}
	if !isSigned {
		tokens = nil
	}
	for _, id := range m.Refs[:min(len(m.Refs), 5)] {
		if t, _, ok := s.signer.ReadMessageID(id); ok {
			tokens = append(tokens, t)
		}
	}
	for i, token := range tokens {
		t, ok, err := touchTx(ctx, tx, token)
		if err != nil {
			return Result{}, err
		}
		if ok && strings.EqualFold(t.Destination, m.From) {
			response.CustomerID, response.CampaignID, response.StepID = t.CustomerID, t.CampaignID, t.StepID
			res.CampaignID, res.StepID = t.CampaignID, t.StepID
			return s.recordTx(ctx, tx, res, response, t.Destination, isSigned && i == 0, v)
		}
	}
	return s.recordTx(ctx, tx, res, response, m.From, false, v)
}

// recordTx hands a response to tracking, or keeps it for a person where it cannot be one.
func (s *Service) recordTx(ctx context.Context, tx pgx.Tx, res Result, r tracking.Response, address string, isSigned bool, v settings.Values) (Result, error) {
	r.Channel = "email"
	if clean, err := normal.Email(address); err == nil {
		r.Email = clean
	}
	if r.Email == "" && r.CustomerID == 0 {
		return s.keepTx(ctx, tx, res, r, "the mail does not say whom it is about")
	}
	o, err := s.tracking.RecordMailTx(ctx, tx, r, isSigned, v)
	if fault.Is(err, fault.Invalid) { // to be tried again for ever would help nobody
		return s.keepTx(ctx, tx, res, r, "not a response that can be recorded")
	}
	if err != nil {
		return Result{}, err
	}
	if o.State == tracking.Dropped {
		res.Outcome, res.Reason = Ignored, o.Reason
		return res, nil
	}
	res.Outcome, res.Reason, res.ResponseID, res.CustomerID = Recorded, o.Reason, o.ResponseID, o.CustomerID
	res.made, res.people = []uuid.UUID{o.ResponseID}, []int64{o.CustomerID}
	if o.CampaignID != 0 {
		res.CampaignID = o.CampaignID
	}
	if o.State == tracking.Unmatched {
		res.Outcome = Unmatched
	}
	return res, nil
}

func (s *Service) keepTx(ctx context.Context, tx pgx.Tx, res Result, r tracking.Response, reason string) (Result, error) {
	r.At = s.now()
	o, err := s.tracking.KeepMailTx(ctx, tx, r, reason)
	if err == nil && o.State == tracking.Dropped {
		res.Outcome, res.Reason = Ignored, o.Reason
		return res, nil
	}
	res.Outcome, res.Reason, res.ResponseID = Unmatched, reason, o.ResponseID
	res.made = []uuid.UUID{o.ResponseID}
	return res, err
}

// plain makes a stranger's text fit to be stored: valid, without control characters but line ends, at most n characters.
func plain(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if r := []rune(s); len(r) > n {
		s = string(r[:n])
	}
	return strings.TrimSpace(s)
}
