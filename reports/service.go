package reports

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/fault"
	"aldine/internal/settings"
)

// Service reads reports.
type Service struct {
	pool     *pgxpool.Pool
	settings *settings.Store
	now      func() time.Time
}

// New gives a service on the pool; now is the clock.
func New(pool *pgxpool.Pool, settings *settings.Store, now func() time.Time) *Service {
	return &Service{pool: pool, settings: settings, now: now}
}

// snapshot runs read in one read-only view of the database.
func (s *Service) snapshot(ctx context.Context, read func(tx pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, read)
}

// campaign is what a report needs to know of a campaign itself.
type campaign struct {
	ID         int64
	Code       string
	Name       string
	State      string
	Currency   string
	Budget     *Money
	MarginRate Money
	Audience   *int64
	LaunchedAt *time.Time
	FinishedAt *time.Time
	Rate       *Money // one unit of its currency in the base currency; nil where unknown
}

const campaignSQL = `
	SELECT c.campaign_id, c.code, c.name, c.state, c.currency, c.budget, c.margin_rate, c.audience, c.launched_at,
		c.finished_at, CASE WHEN @base::text IN ('', c.currency::text) THEN 1 ELSE r.rate END AS rate
	FROM campaigns c LEFT JOIN exchange_rates r ON r.currency = c.currency`

func scanCampaign(row pgx.CollectableRow) (c campaign, err error) {
	err = row.Scan(&c.ID, &c.Code, &c.Name, &c.State, &c.Currency, &c.Budget, &c.MarginRate, &c.Audience, &c.LaunchedAt,
		&c.FinishedAt, &c.Rate)
	return c, err
}

func loadCampaign(ctx context.Context, tx pgx.Tx, id int64, base string) (campaign, error) {
	rows, _ := tx.Query(ctx, campaignSQL+` WHERE c.campaign_id = @id`, pgx.NamedArgs{"id": id, "base": base})
	c, err := pgx.CollectExactlyOneRow(rows, scanCampaign)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, fault.New(fault.NotFound, "There is no campaign %d", id)
	}
	return c, err
}
