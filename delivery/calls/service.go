package calls

import (
	"context"
	"errors"
	"log/slog"
	"time"
	_ "time/tzdata" // legal hours must not depend on what the machine has installed

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/internal/fault"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/tracking"
)

// Deps are what the service works with.
type Deps struct {
	Pool      *pgxpool.Pool
	Jobs      *queue.Client
	Settings  *settings.Store
	Templates *content.Store
	Customers *customers.Service
	Tracking  *tracking.Service
	Now       func() time.Time
	Log       *slog.Logger
}

// Service keeps the call lists. It is safe for concurrent use.
type Service struct{ d Deps }

// New gives a service.
func New(d Deps) *Service { return &Service{d} }

// Lists gives call lists with their progress, newest first: of one campaign, or of all where campaignID is 0. before is
// the id of the last one seen, 0 for the first page.
func (s *Service) Lists(ctx context.Context, campaignID, before int64, limit int) ([]List, error) {
	if limit <= 0 || limit > 500 {
		limit = 50
	}
	return s.lists(ctx, `(@campaign::bigint = 0 OR l.campaign_id = @campaign) AND (@before::bigint = 0 OR l.call_list_id < @before)`,
		pgx.NamedArgs{"campaign": campaignID, "before": before, "limit": limit})
}

// List gives one call list, or NotFound.
func (s *Service) List(ctx context.Context, listID int64) (List, error) {
	found, err := s.lists(ctx, `l.call_list_id = @list`, pgx.NamedArgs{"list": listID, "limit": 1})
	if err != nil {
		return List{}, err
	}
	if len(found) == 0 {
		return List{}, noList(listID)
	}
	return found[0], nil
}

func noList(id int64) error { return fault.New(fault.NotFound, "There is no call list %d", id) }

func (s *Service) lists(ctx context.Context, where string, args pgx.NamedArgs) ([]List, error) {
	args["now"] = s.d.Now()
	rows, err := s.d.Pool.Query(ctx, `
		SELECT l.call_list_id, l.name, l.campaign_id, c.code, c.state, l.step_id, n.total, n.ready, n.waiting, n.callbacks, n.leased, n.done, n.withdrawn,
			l.created_at
		FROM call_lists l JOIN campaigns c ON c.campaign_id = l.campaign_id
		CROSS JOIN LATERAL (
			SELECT count(*) AS total,
				count(*) FILTER (WHERE state = 'ready' OR state = 'leased' AND leased_until <= @now AND attempts = 0) AS ready,
				count(*) FILTER (WHERE state = 'waiting' OR state = 'leased' AND leased_until <= @now AND attempts > 0) AS waiting,
				count(*) FILTER (WHERE state = 'waiting' AND callback) AS callbacks,
				count(*) FILTER (WHERE state = 'leased' AND leased_until > @now) AS leased,
				count(*) FILTER (WHERE state = 'done') AS done,
				count(*) FILTER (WHERE state = 'withdrawn') AS withdrawn
			FROM calls k WHERE k.call_list_id = l.call_list_id) n
		WHERE `+where+` ORDER BY l.call_list_id DESC LIMIT @limit`, args)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[List])
}

// Release gives a held call back untouched. Fails with Conflict where the agent does not hold it.
func (s *Service) Release(ctx context.Context, callID int64, agent string) error {
	tag, err := s.d.Pool.Exec(ctx, `
		UPDATE calls SET state = CASE WHEN attempts = 0 THEN 'ready' ELSE 'waiting' END, leased_by = NULL, leased_until = NULL, updated_at = @now
		WHERE call_id = @call AND state = 'leased' AND leased_by = @agent`,
		pgx.NamedArgs{"now": s.d.Now(), "call": callID, "agent": agent})
	if err == nil && tag.RowsAffected() == 0 {
		return errNotHeld
	}
	return err
}

var errNotHeld = fault.New(fault.Conflict, "You do not hold this call any more: its time ran out and somebody else took it, or it was withdrawn. Take the next one.")

// held is the call list behind a lease.
type held struct {
	List, CampaignID, StepID     int64
	Code, Name, State            string
	TemplateID, TemplateVersion  int64
	Currency, StepKey, listNamed string
}

func (s *Service) loadTx(ctx context.Context, tx pgx.Tx, listID int64) (h held, err error) {
	err = tx.QueryRow(ctx, `
		SELECT l.call_list_id, l.campaign_id, l.step_id, c.code, c.name, c.state, coalesce(s.template_id, 0), coalesce(s.template_version, 0), c.currency,
			s.key, l.name
		FROM call_lists l JOIN campaigns c ON c.campaign_id = l.campaign_id JOIN steps s ON s.step_id = l.step_id
		WHERE l.call_list_id = @list`, pgx.NamedArgs{"list": listID}).
		Scan(&h.List, &h.CampaignID, &h.StepID, &h.Code, &h.Name, &h.State, &h.TemplateID, &h.TemplateVersion, &h.Currency, &h.StepKey, &h.listNamed)
	if errors.Is(err, pgx.ErrNoRows) {
		return h, noList(listID)
	}
	return h, err
}
