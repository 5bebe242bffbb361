package delivery

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/campaigns/content"
	"aldine/campaigns/journey"
	"aldine/customers"
	"aldine/delivery/calls"
	"aldine/delivery/email"
	"aldine/delivery/sms"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/tracking"
)

// Config says where messages go.
type Config struct {
	DataDir          string // print runs are written to its folder print
	SMTPURL          string // see email.Open
	SMSURL, SMSToken string // see sms.NewGateway
	PublicURL        string // base of tracked links
	Signer           *tracking.Signer
	EmailConnections int         // to the relay, per process; 0 means 8
	BounceDomain     string      // mails to it reach delivery/inbound; "" where there is none
	DKIM             *email.DKIM // signs mails; nil where the relay does, or nobody
}

// Deps are what the service works with.
type Deps struct {
	Pool      *pgxpool.Pool
	Jobs      *queue.Client
	Settings  *settings.Store
	Templates *content.Store
	Customers *customers.Service // takes what agents are told
	Tracking  *tracking.Service  // takes what call agents report
	Now       func() time.Time
	Log       *slog.Logger
}

// Service plans and sends. It is safe for concurrent use.
type Service struct {
	pool      *pgxpool.Pool
	jobs      *queue.Client
	settings  *settings.Store
	templates *content.Store
	now       func() time.Time
	log       *slog.Logger
	config    Config
	urls      tracking.URLs
	answers   tracking.Addresses
	mails     *email.Pool
	gateway   *sms.Gateway
	calls     *calls.Service
	tracking  *tracking.Service // nil where hard bounces are not to be recorded
	limits    limits
	patients  patients
}

var _ journey.Planner = (*Service)(nil)

// New gives a service. The error names all that is wrong with the configuration.
func New(d Deps, c Config) (*Service, error) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if c.EmailConnections == 0 {
		c.EmailConnections = 20
	}
	mails, mailErr := email.Open(c.SMTPURL, c.EmailConnections)
	gateway, smsErr := sms.NewGateway(c.SMSURL, c.SMSToken)
	err := errors.Join(mailErr, smsErr)
	if c.DataDir == "" {
		err = errors.Join(err, errors.New("print runs need a data folder"))
	}
	if c.PublicURL == "" || c.Signer == nil {
		err = errors.Join(err, errors.New("tracked links need the public address and a signing key"))
	}
	if err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	sweepHandovers(c.DataDir, time.Now())
	return &Service{
		pool: d.Pool, tracking: d.Tracking, jobs: d.Jobs, settings: d.Settings, templates: d.Templates, now: d.Now, log: d.Log, config: c,
		urls: tracking.URLs{Base: c.PublicURL, Signer: c.Signer}, answers: tracking.Addresses{Domain: c.BounceDomain, Signer: c.Signer}, mails: mails, gateway: gateway,
		calls: calls.New(calls.Deps{Pool: d.Pool, Jobs: d.Jobs, Settings: d.Settings, Templates: d.Templates, Customers: d.Customers, Tracking: d.Tracking, Now: d.Now, Log: d.Log}),
	}, nil
}

// Close hangs up kept connections.
func (s *Service) Close() { s.mails.Close() }

// Calls gives the call lists.
func (s *Service) Calls() *calls.Service { return s.calls }
