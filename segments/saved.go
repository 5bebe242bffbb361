package segments

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
)

// ID names a saved segment.
type ID int64

// Segment is a saved expression with a name.
type Segment struct {
	ID          ID         `json:"id"`
	Name        string     `json:"name"`
	Expression  string     `json:"expression"`
	Description string     `json:"description"`
	LastCount   *int64     `json:"last_count"` // nil until counted
	CountedAt   *time.Time `json:"counted_at"`
	CreatedBy   string     `json:"created_by"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
}

// Draft is what a marketer enters to save a segment.
type Draft struct {
	Name        string `json:"name"`
	Expression  string `json:"expression"`
	Description string `json:"description"`
}

// Query selects a page of saved segments, which are ordered by name.
type Query struct {
	Search string // part of the name, in any case; "" for all
	After  string // the last name of the page before
	Limit  int    // 1 to 200, default 50
}

const segmentColumns = `segment_id, name, expression, description, last_count, counted_at, created_by, created_at, updated_at`

func one(rows pgx.Rows, err error) (Segment, error) {
	if err != nil {
		return Segment{}, err
	}
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Segment])
	if errors.Is(err, pgx.ErrNoRows) {
		return Segment{}, fault.New(fault.NotFound, "There is no such segment")
	}
	return s, err
}

// Get gives a segment, or NotFound.
func (s *Service) Get(ctx context.Context, id ID) (Segment, error) {
	return one(s.pool.Query(ctx, `SELECT `+segmentColumns+` FROM segments WHERE segment_id = $1`, id))
}

// ByName gives the segment of that name, or NotFound.
func (s *Service) ByName(ctx context.Context, name string) (Segment, error) {
	return one(s.pool.Query(ctx, `SELECT `+segmentColumns+` FROM segments WHERE name = $1`, name))
}

// List gives a page of segments ordered by name; a full page may have one after it.
func (s *Service) List(ctx context.Context, q Query) ([]Segment, error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	rows, err := s.pool.Query(ctx, `
		SELECT `+segmentColumns+` FROM segments
		WHERE name > @after AND strpos(lower(name), lower(@search::text)) > 0
		ORDER BY name LIMIT @limit`, pgx.NamedArgs{"after": q.After, "search": q.Search, "limit": min(q.Limit, 200)})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Segment])
}

// Create saves a segment. It fails with Invalid where name or expression are not valid, and with Conflict where the
// name is taken.
func (s *Service) Create(ctx context.Context, d Draft) (Segment, error) {
	var created Segment
	err := s.changing(ctx, func(tx pgx.Tx) error {
		if err := s.checkDraft(ctx, tx, &d); err != nil {
			return err
		}
		var err error
		created, err = one(tx.Query(ctx, `
			INSERT INTO segments (name, expression, description, created_by, created_at, updated_at)
			VALUES (@name, @expression, @description, @by, @now, @now)
			RETURNING `+segmentColumns, pgx.NamedArgs{"name": d.Name, "expression": d.Expression, "description": d.Description,
			"by": access.From(ctx).String(), "now": s.now()}))
		if err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "segment.create", "segment", created.ID, map[string]any{"name": d.Name, "expression": d.Expression})
	})
	return created, named(err, d.Name)
}

// Update changes a segment; its count is forgotten where the expression changes. It fails with NotFound, with Invalid
// where name or expression are not valid (a segment that would use itself is one), and with Conflict where the name
// is taken, or where it is changed though a campaign or another segment uses the old one.
func (s *Service) Update(ctx context.Context, id ID, d Draft) (Segment, error) {
	var updated Segment
	err := s.changing(ctx, func(tx pgx.Tx) error {
		before, err := one(tx.Query(ctx, `SELECT `+segmentColumns+` FROM segments WHERE segment_id = $1`, id))
		if err != nil {
			return err
		}
		if err := s.checkDraft(ctx, tx, &d, before.Name); err != nil {
			return err
		}
		if d.Name != before.Name {
			if user, err := userOf(ctx, tx, before, false); err != nil {
				return err
			} else if user != "" {
				return fault.New(fault.Conflict, "The segment cannot be renamed: %s uses it under its name", user)
			}
		}
		updated, err = one(tx.Query(ctx, `
			UPDATE segments SET name = @name, expression = @expression, description = @description, updated_at = @now,
				last_count = CASE WHEN expression = @expression THEN last_count END,
				counted_at = CASE WHEN expression = @expression THEN counted_at END
			WHERE segment_id = @id RETURNING `+segmentColumns,
			pgx.NamedArgs{"id": id, "name": d.Name, "expression": d.Expression, "description": d.Description, "now": s.now()}))
		if err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "segment.update", "segment", id,
			map[string]any{"name": d.Name, "expression": d.Expression, "expression_before": before.Expression})
	})
	return updated, named(err, d.Name)
}

// Delete removes a segment. It fails with NotFound, and with Conflict where a campaign or another segment uses it.
func (s *Service) Delete(ctx context.Context, id ID) error {
	return s.changing(ctx, func(tx pgx.Tx) error {
		before, err := one(tx.Query(ctx, `SELECT `+segmentColumns+` FROM segments WHERE segment_id = $1`, id))
		if err != nil {
			return err
		}
		if user, err := userOf(ctx, tx, before, true); err != nil {
			return err
		} else if user != "" {
			return fault.New(fault.Conflict, "The segment cannot be deleted: %s uses it", user)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM segments WHERE segment_id = $1`, id); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "segment.delete", "segment", id, map[string]any{"name": before.Name, "expression": before.Expression})
	})
}

// CountSegment counts a saved segment exactly and keeps the number with it. It fails with NotFound and like Count.
func (s *Service) CountSegment(ctx context.Context, id ID) (Count, error) {
	segment, err := s.Get(ctx, id)
	if err != nil {
		return Count{}, err
	}
	count, err := s.Count(ctx, segment.Expression, Exact)
	if err != nil {
		return Count{}, err
	}
	// Only where the expression is still the one that was counted.
	_, err = s.pool.Exec(ctx, `UPDATE segments SET last_count = $3, counted_at = $4 WHERE segment_id = $1 AND expression = $2`,
		id, segment.Expression, count.Count, s.now())
	return count, err
}

// changing runs a change of segments, one at a time: two at once could each be right and together make a circle.
func (s *Service) changing(ctx context.Context, do func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `LOCK TABLE segments IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		return do(tx)
	})
}

// checkDraft gives the faults of name and expression together. The expression is checked as if it were saved already
// under the new name and the old ones, so that a circle shows.
func (s *Service) checkDraft(ctx context.Context, tx pgx.Tx, d *Draft, old ...string) error {
	d.Name, d.Description = strings.TrimSpace(d.Name), strings.TrimSpace(d.Description)
	var fields []fault.Field
	switch {
	case d.Name == "":
		fields = append(fields, fault.Field{Name: "name", Message: "give the segment a name"})
	case utf8.RuneCountInString(d.Name) > 100 || !utf8.ValidString(d.Name) || strings.ContainsFunc(d.Name, func(r rune) bool { return r < ' ' }):
		fields = append(fields, fault.Field{Name: "name", Message: "the name must be at most 100 characters on one line"})
	}
	if len(d.Description) > 2000 || !utf8.ValidString(d.Description) || strings.ContainsRune(d.Description, 0) {
		fields = append(fields, fault.Field{Name: "description", Message: "the description must be text of at most 2000 bytes"})
	}
	catalog, err := LoadCatalog(ctx, tx)
	if err != nil {
		return err
	}
	for _, name := range append(old, d.Name) {
		catalog.segments[name] = d.Expression
	}
	if len(old) == 0 {
		delete(catalog.segments, d.Name) // a new segment cannot mean itself
	}
	c := newChecker(catalog, s.now())
	c.stack = old
	c.expression(d.Expression)
	if fields = append(fields, c.faults...); len(fields) > 0 {
		return fault.Bad("The segment is not valid", fields...)
	}
	return nil
}

// named turns a violated unique name into words.
func named(err error, name string) error {
	var violation *pgconn.PgError
	if errors.As(err, &violation) && violation.Code == "23505" {
		return fault.Wrap(fault.Conflict, err, "There is a segment named %q already", name)
	}
	return err
}
