package web

import (
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/pgxstore"
	"github.com/alexedwards/scs/v2"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/campaigns"
	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/customers/mergepurge"
	"aldine/delivery"
	"aldine/delivery/inbound"
	"aldine/insights"
	"aldine/internal/access"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/reports"
	"aldine/segments"
	"aldine/tracking"
)

// Deps are the services behind the pages; all are needed.
type Deps struct {
	Pool     *pgxpool.Pool
	Access   *access.Service
	Settings *settings.Store
	Jobs     *queue.Client

	Customers  *customers.Service
	MergePurge *mergepurge.Service
	Duplicates *duplicates.Service
	Segments   *segments.Service
	Insights   *insights.Service
	Campaigns  *campaigns.Service
	Delivery   *delivery.Service
	Inbound    *inbound.Service
	Reports    *reports.Service
	Tracking   *tracking.Service

	DataDir string // uploads wait in its folder uploads for their mapping

	BaseURL string // as people reach the program; with https, cookies are sent only over https
	Version string
	Now     func() time.Time
	Log     *slog.Logger
}

// Pages are all pages of the program.
type Pages struct {
	Deps
	views    map[string]*template.Template
	sessions *scs.SessionManager
	store    *pgxstore.PostgresStore
	origin   *http.CrossOriginProtection
}

const (
	sessionLife = 12 * time.Hour
	sessionIdle = 2 * time.Hour
	sweepEvery  = 10 * time.Minute
)

// New reads all templates; one that is missing or faulty is an error. Close it when the program ends.
func New(d Deps) (*Pages, error) {
	views, err := parseViews()
	if err != nil {
		return nil, err
	}
	store := pgxstore.NewWithCleanupInterval(d.Pool, sweepEvery)
	s := scs.New()
	s.Store = store
	s.HashTokenInStore = true
	s.Lifetime, s.IdleTimeout = sessionLife, sessionIdle
	s.Cookie.Name = "aldine"
	s.Cookie.Secure = strings.HasPrefix(d.BaseURL, "https://")
	s.Cookie.SameSite = http.SameSiteLaxMode
	s.Cookie.HttpOnly = true
	return &Pages{Deps: d, views: views, sessions: s, store: store, origin: http.NewCrossOriginProtection()}, nil
}

// Close ends the sweeping of old sessions.
func (p *Pages) Close() { p.store.StopCleanup() }
