package segments

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/access"
	"aldine/internal/fault"
)

// Version is what a segment said from one save to the next.
type Version struct {
	Version    int       `json:"version"`
	Expression string    `json:"expression"`
	SavedBy    string    `json:"saved_by"`
	SavedAt    time.Time `json:"saved_at"`
	Campaigns  []string  `json:"campaigns"`               // codes of those that were approved with it
	Hidden     bool      `json:"hidden,omitempty" db:"-"` // the expression asks for private attributes, which the actor may not see
}

// keepVersionTx keeps what the segment says under its version, once.
func (s *Service) keepVersionTx(ctx context.Context, tx pgx.Tx, of Segment) error {
	by, at := access.From(ctx).String(), s.now()
	if of.UpdatedAt.Before(at) { // it stood before this change
		by, at = of.CreatedBy, of.UpdatedAt
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO segment_versions (segment_id, version, expression, saved_by, saved_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT DO NOTHING`, of.ID, of.Version, of.Expression, by, at)
	return err
}

// Versions gives up to limit (at most 200, 20 where 0) versions of a segment below before (0: from the newest), newest first.
func (s *Service) Versions(ctx context.Context, id ID, before, limit int) ([]Version, error) {
	if limit <= 0 {
		limit = 20
	}
	rows, err := s.pool.Query(ctx, `
		SELECT v.version, v.expression, v.saved_by, v.saved_at,
			ARRAY(SELECT c.code FROM campaigns c WHERE c.segment_id = v.segment_id AND c.segment_version = v.version ORDER BY c.code LIMIT 50)
		FROM segment_versions v WHERE v.segment_id = @id AND (@before = 0 OR v.version < @before)
		ORDER BY v.version DESC LIMIT @limit`, pgx.NamedArgs{"id": id, "before": min(max(before, 0), math.MaxInt32), "limit": min(limit, 200)})
	if err != nil {
		return nil, err
	}
	versions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Version])
	if err != nil {
		return nil, err
	}
	hide, err := s.hider(ctx)
	if err != nil {
		return nil, err
	}
	for i := range versions {
		of := Segment{Expression: versions[i].Expression}
		hide(&of)
		versions[i].Expression, versions[i].Hidden = of.Expression, of.Hidden
	}
	return versions, nil
}

// Restore makes an earlier version the present one again, as a new version. It fails with NotFound, and like Update where
// the old expression is no longer valid, or somebody changes the segment in this moment.
func (s *Service) Restore(ctx context.Context, id ID, version int) (Segment, error) {
	now, err := s.Get(ctx, id)
	if err != nil {
		return Segment{}, err
	}
	d := Draft{Name: now.Name, Description: now.Description, Folder: now.Folder, Tags: now.Tags, RowVersion: now.RowVersion}
	err = s.pool.QueryRow(ctx, `SELECT expression FROM segment_versions WHERE segment_id = $1 AND version = $2`, id, min(max(version, 0), math.MaxInt32)).Scan(&d.Expression)
	if errors.Is(err, pgx.ErrNoRows) {
		return Segment{}, fault.New(fault.NotFound, "The segment %s has no version %d", now.Name, version)
	} else if err != nil {
		return Segment{}, err
	}
	return s.Update(ctx, id, d)
}

// Label is a folder or a tag with the number of its segments.
type Label struct {
	Name     string `json:"name"`
	Segments int64  `json:"segments"`
}

// Folders gives the folders in use by name, at most 200.
func (s *Service) Folders(ctx context.Context) ([]Label, error) {
	return s.labels(ctx, `SELECT folder, count(*) FROM segments WHERE folder <> '' GROUP BY folder ORDER BY folder LIMIT 200`)
}

// Tags gives the tags in use by name, at most 200.
func (s *Service) Tags(ctx context.Context) ([]Label, error) {
	return s.labels(ctx, `SELECT tag, count(*) FROM segments, unnest(tags) tag GROUP BY tag ORDER BY tag LIMIT 200`)
}

func (s *Service) labels(ctx context.Context, sql string) ([]Label, error) {
	rows, err := s.pool.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Label])
}
