package inbound

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/delivery/bounce"
	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/internal/settings"
	"aldine/tracking"
)

// MaxMessage is the size of a mail in bytes; longer ones are refused.
const MaxMessage = 4 << 20

// Deps is what a Service needs. Log may be nil.
type Deps struct {
	Pool     *pgxpool.Pool
	Settings *settings.Store
	Tracking *tracking.Service
	Signer   *tracking.Signer
	Domain   string // of the return paths; "" where there is none
	Now      func() time.Time
	Log      *slog.Logger
}

// Service takes in mails. It is safe for concurrent use.
type Service struct {
	pool     *pgxpool.Pool
	settings *settings.Store
	tracking *tracking.Service
	signer   *tracking.Signer
	signed   tracking.Addresses
	now      func() time.Time
	log      *slog.Logger
	taken    atomic.Int64
}

// New gives a service.
func New(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{pool: d.Pool, settings: d.Settings, tracking: d.Tracking, signer: d.Signer, now: d.Now, log: d.Log,
		signed: tracking.Addresses{Domain: strings.ToLower(d.Domain), Signer: d.Signer}}
}

// The outcomes of a mail.
const (
	Recorded  = "recorded"
	Unmatched = "unmatched" // kept for a person to look at
	Ignored   = "ignored"   // nothing follows from it
)

// Result is what became of a mail. Of one that speaks of several recipients, IDs are those of the first.
type Result struct {
	Kind       string    `json:"kind" doc:"hard, soft, complaint, delayed, autoreply or unknown as reported by a machine; reply or unsubscribe of a person."`
	Outcome    string    `json:"outcome" enum:"recorded,unmatched,ignored"`
	Reason     string    `json:"reason,omitempty"`
	Repeated   bool      `json:"repeated" doc:"The same mail was taken in before; nothing was changed."`
	ResponseID uuid.UUID `json:"response_id,omitzero"`
	CustomerID int64     `json:"customer_id,omitempty"`
	CampaignID int64     `json:"campaign_id,omitempty"`
	StepID     int64     `json:"step_id,omitempty"`

	made   []uuid.UUID // responses of all recipients
	people []int64     // to whom they were recorded
}

// Receive takes in a raw message that another program vouches for. envelopeTo is the address it was sent to; "" leaves that
// to the header. Invalid where there is no message or too long a one; any other error means that nothing is stored, and
// that it should be tried again.
func (s *Service) Receive(ctx context.Context, envelopeTo string, raw []byte) (Result, error) {
	source := access.From(ctx).Name
	if source == "" || source == listener {
		source = "api"
	}
	return s.receive(ctx, mail{to: envelopeTo, raw: raw, source: source, vouched: true})
}

// listener is the source of what comes by SMTP.
const listener = "smtp"

// mail is one on its way in.
type mail struct {
	bounce.Mail
	to      string
	raw     []byte
	source  string
	vouched bool // a program with a token of ours hands it over
}

func (s *Service) receive(ctx context.Context, m mail) (Result, error) {
	if len(m.raw) == 0 {
		return Result{}, fault.Bad("There is no message: send it as the body, as it came")
	}
	if len(m.raw) > MaxMessage {
		return Result{}, fault.Bad(fmt.Sprintf("The message is too long: at most %d MB", MaxMessage>>20))
	}
	m.Mail = bounce.Read(m.raw)
	v, err := s.settings.Get(ctx) // before the transaction, which must not wait for a second connection
	if err != nil {
		return Result{}, err
	}
	s.sweep(ctx)
	hash := contentHash(m.to, m.raw)
	var res Result
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			INSERT INTO inbound_mails (mail_hash, received_at, source, kind, outcome) VALUES (@hash, @now, @source, '', '')
			ON CONFLICT (mail_hash) DO NOTHING`, pgx.NamedArgs{"hash": hash, "now": s.now(), "source": m.source})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			res.Repeated = true
			return tx.QueryRow(ctx, `
				SELECT kind, outcome, reason, coalesce(campaign_id, 0), coalesce(step_id, 0) FROM inbound_mails WHERE mail_hash = @hash`,
				pgx.NamedArgs{"hash": hash}).Scan(&res.Kind, &res.Outcome, &res.Reason, &res.CampaignID, &res.StepID)
		}
		if res, err = s.takeTx(ctx, tx, m, v); err != nil {
			return err
		}
		if err := noteTx(ctx, tx, hash, res); err != nil {
			return err
		}
		return s.keepRawTx(ctx, tx, hash, m, res, v)
	})
	return res, err
}

// noteTx writes down what became of a mail.
func noteTx(ctx context.Context, tx pgx.Tx, hash []byte, res Result) error {
	_, err := tx.Exec(ctx, `
			UPDATE inbound_mails SET kind = @kind, outcome = @outcome, reason = @reason, campaign_id = nullif(@campaign::bigint, 0), step_id = nullif(@step::bigint, 0)
			WHERE mail_hash = @hash`,
		pgx.NamedArgs{"hash": hash, "kind": res.Kind, "outcome": res.Outcome, "reason": nameless(plain(res.Reason, 400)), "campaign": res.CampaignID, "step": res.StepID})
	return err
}

// takeTx decides what a mail is and does what follows.
func (s *Service) takeTx(ctx context.Context, tx pgx.Tx, m mail, v settings.Values) (Result, error) {
	purpose, token, signed := s.read(m)
	switch {
	case signed && token.CustomerID == 0:
		return Result{Kind: kindOf(m), Outcome: Ignored, Reason: "it answers a test message"}, nil
	case signed && purpose == tracking.Unsubscribe:
		res := Result{Kind: string(tracking.KindUnsubscribe), Outcome: Recorded, CustomerID: token.CustomerID, CampaignID: token.CampaignID, StepID: token.StepID}
		err := s.tracking.LeaveByMailTx(ctx, tx, token)
		if fault.Is(err, fault.NotFound) {
			return Result{Kind: res.Kind, Outcome: Ignored, Reason: "the campaign is gone"}, nil
		}
		return res, err
	case len(m.Reports) == 0:
		return s.replyTx(ctx, tx, m, token, signed, v)
	}
	return s.reportsTx(ctx, tx, m, token, signed, v)
}

func kindOf(m mail) string {
	if len(m.Reports) > 0 {
		return string(m.Reports[0].Kind)
	}
	return string(tracking.KindReply)
}

// read finds the signed address that a mail was sent to.
func (s *Service) read(m mail) (p tracking.Purpose, t tracking.Token, ok bool) {
	if p, t, ok = s.signed.Read(m.to); ok || m.to != "" {
		return p, t, ok
	}
	for _, to := range m.To {
		if p, t, ok = s.signed.Read(to); ok {
			return p, t, true
		}
	}
	return 0, tracking.Token{}, false
}

const (
	kept       = 90 * 24 * time.Hour // how long a mail is known again; servers give up after five days
	sweepEvery = 1000
)

// sweep keeps a flood of mails from taking more room than it may, between two rounds of the job.
func (s *Service) sweep(ctx context.Context) {
	if s.taken.Add(1)%sweepEvery != 0 {
		return
	}
	if err := s.Forget(ctx); err != nil && !errors.Is(err, context.Canceled) {
		s.log.Warn("old mails were not forgotten", "error", err)
	}
}
