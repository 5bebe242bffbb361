package journey

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"
)

// Querier is a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// LoadSteps gives the frozen steps of a campaign's version in topological order.
func LoadSteps(ctx context.Context, q Querier, campaignID int64, version int) ([]Step, error) {
	rows, err := q.Query(ctx, `
		SELECT step_id, campaign_id, version, key, position, kind, COALESCE(channel, ''), COALESCE(template_id, 0),
			COALESCE(template_version, 0), unit_cost, dedup, config
		FROM steps WHERE campaign_id = @campaign AND version = @version ORDER BY position`,
		pgx.NamedArgs{"campaign": campaignID, "version": version})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Step, err error) {
		return s, row.Scan(&s.ID, &s.CampaignID, &s.Version, &s.Key, &s.Position, &s.Kind, &s.Channel, &s.TemplateID,
			&s.TemplateVersion, &s.UnitCost, &s.Dedup, &s.Config)
	})
}

// StoreStepsTx stores the steps of a journey that is being frozen.
func StoreStepsTx(ctx context.Context, tx pgx.Tx, campaignID int64, version int, steps []Step) error {
	for _, s := range steps {
		config, err := json.Marshal(s.Config)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `
			INSERT INTO steps (campaign_id, version, key, position, kind, channel, template_id, template_version, unit_cost, dedup, config)
			VALUES (@campaign, @version, @key, @position, @kind, NULLIF(@channel, ''), NULLIF(@template::bigint, 0),
				NULLIF(@template_version::int, 0), @unit_cost, @dedup, @config)`, pgx.NamedArgs{
			"campaign": campaignID, "version": version, "key": s.Key, "position": s.Position, "kind": s.Kind, "channel": s.Channel,
			"template": s.TemplateID, "template_version": s.TemplateVersion, "unit_cost": s.UnitCost, "dedup": s.Dedup, "config": config,
		}); err != nil {
			return err
		}
	}
	return nil
}
