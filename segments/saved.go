package segments

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

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
	Version     int        `json:"version"` // of the expression; grows when it changes
	Owner       string     `json:"owner"`   // e-mail of the user who answers for it; "" for nobody
	Folder      string     `json:"folder"`
	Tags        []string   `json:"tags"`       // ordered
	LastCount   *int64     `json:"last_count"` // nil until counted
	CountedAt   *time.Time `json:"counted_at"`
	CountError  string     `json:"count_error,omitempty"` // why the last count failed
	RowVersion  int        `json:"row_version"`           // grows with each change; a Draft that has it is refused after another's
	CreatedBy   string     `json:"created_by"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`

	// Hidden tells that the segment asks for private attributes, which the actor may not see: expression and figures are left out.
	Hidden bool `json:"hidden,omitempty" db:"-"`
}

// Draft is what a marketer enters to save a segment.
type Draft struct {
	Name        string `json:"name"`
	Expression  string `json:"expression"`
	Description string `json:"description"`
	// Owner is the e-mail of a user. Left out it stays as it is; of a new segment it is the user who saves it.
	Owner  string   `json:"owner,omitempty"`
	Folder string   `json:"folder,omitempty"`
	Tags   []string `json:"tags,omitempty"`
	// RowVersion of the segment that was edited: a change by somebody else in between is a Conflict. 0 overwrites it.
	RowVersion int `json:"row_version,omitempty"`
}

// Query selects a page of saved segments, which are ordered by name.
type Query struct {
	Search string // part of the name or the description, in any case; "" for all
	Folder string // "" for all
	Tag    string // "" for all
	After  string // the last name of the page before
	Limit  int    // 1 to 200, default 50
}

const segmentColumns = `segment_id, name, expression, description, version, owner, folder, tags, last_count, counted_at, count_error, row_version, created_by, created_at, updated_at`

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

// Get gives a segment as the actor may see it, or NotFound.
func (s *Service) Get(ctx context.Context, id ID) (Segment, error) {
	found, err := s.whole(ctx, id)
	return s.seen(ctx, found, err)
}

// whole gives a segment with all it says, whoever asks.
func (s *Service) whole(ctx context.Context, id ID) (Segment, error) {
	return one(s.pool.Query(ctx, `SELECT `+segmentColumns+` FROM segments WHERE segment_id = $1`, id))
}

// ByName gives the segment of that name as the actor may see it, or NotFound.
func (s *Service) ByName(ctx context.Context, name string) (Segment, error) {
	found, err := one(s.pool.Query(ctx, `SELECT `+segmentColumns+` FROM segments WHERE name = $1`, storable(name)))
	return s.seen(ctx, found, err)
}

// List gives a page of segments ordered by name as the actor may see them; a full page may have one after it.
func (s *Service) List(ctx context.Context, q Query) ([]Segment, error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	rows, err := s.pool.Query(ctx, `
		SELECT `+segmentColumns+` FROM segments
		WHERE name > @after AND strpos(lower(name || ' ' || description), lower(@search::text)) > 0
			AND (@folder::text = '' OR folder = @folder) AND (@tag::text = '' OR @tag = ANY(tags))
		ORDER BY name LIMIT @limit`, pgx.NamedArgs{"after": storable(q.After), "search": storable(q.Search), "folder": storable(q.Folder), "tag": storable(q.Tag),
		"limit": min(q.Limit, 200)})
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Segment])
	if err != nil {
		return nil, err
	}
	hide, err := s.hider(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		hide(&list[i])
	}
	return list, nil
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
			INSERT INTO segments (name, expression, description, owner, folder, tags, created_by, created_at, updated_at)
			VALUES (@name, @expression, @description, @owner, @folder, @tags, @by, @now, @now)
			RETURNING `+segmentColumns, s.draftArgs(ctx, d)))
		if err != nil {
			return err
		}
		if err := s.keepVersionTx(ctx, tx, created); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "segment.create", "segment", created.ID, map[string]any{"name": d.Name, "expression": d.Expression})
	})
	return created, named(err, d.Name)
}

// Update changes a segment; its count is forgotten where the expression changes. It fails with NotFound, with Invalid
// where name or expression are not valid (a segment that would use itself is one), and with Conflict where the name
// is taken, where it is changed though a campaign or another segment uses the old one, or where the draft's row version is not the
// present one.
func (s *Service) Update(ctx context.Context, id ID, d Draft) (Segment, error) {
	var updated Segment
	err := s.changing(ctx, func(tx pgx.Tx) error {
		before, err := one(tx.Query(ctx, `SELECT `+segmentColumns+` FROM segments WHERE segment_id = $1`, id))
		if err != nil {
			return err
		}
		if d.RowVersion != 0 && d.RowVersion != before.RowVersion {
			return s.changedSince(ctx, tx, before)
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
		if err := s.keepVersionTx(ctx, tx, before); err != nil { // saved by a version of the program that kept none
			return err
		}
		args := s.draftArgs(ctx, d)
		args["id"] = id
		updated, err = one(tx.Query(ctx, `
			UPDATE segments SET name = @name, expression = @expression, description = @description, folder = @folder, tags = @tags, updated_at = @now, row_version = row_version + 1,
				count_error = CASE WHEN expression = @expression THEN count_error ELSE '' END,
				count_tried_at = CASE WHEN expression = @expression THEN count_tried_at END,
				owner = CASE WHEN @owner = '' THEN owner ELSE @owner END,
				version = CASE WHEN expression = @expression THEN version ELSE version + 1 END,
				last_count = CASE WHEN expression = @expression THEN last_count END,
				counted_at = CASE WHEN expression = @expression THEN counted_at END
			WHERE segment_id = @id RETURNING `+segmentColumns, args))
		if err != nil {
			return err
		}
		if err := s.keepVersionTx(ctx, tx, updated); err != nil {
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
			var violation *pgconn.PgError
			if errors.As(err, &violation) && violation.Code == "23503" { // foreign_key_violation, since a moment ago
				return fault.Wrap(fault.Conflict, err, "The segment cannot be deleted: a campaign has just taken it as its audience")
			}
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "segment.delete", "segment", id, map[string]any{"name": before.Name, "expression": before.Expression})
	})
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

// changedSince tells who was faster.
func (s *Service) changedSince(ctx context.Context, tx pgx.Tx, of Segment) error {
	var by string
	err := tx.QueryRow(ctx, `SELECT actor FROM audit_log WHERE object_kind = 'segment' AND object_id = $1 ORDER BY at DESC, audit_id DESC LIMIT 1`,
		strconv.FormatInt(int64(of.ID), 10)).Scan(&by)
	if errors.Is(err, pgx.ErrNoRows) {
		by = "somebody else"
	} else if err != nil {
		return err
	}
	_, name, found := strings.Cut(by, ":")
	if !found {
		name = by
	}
	return fault.New(fault.Conflict, "The segment was changed at %s UTC by %s, after you opened it, and your change would undo that: nothing is saved. Open it again, and make your change there",
		of.UpdatedAt.UTC().Format("15:04 on 2006-01-02"), name)
}

// named turns a violated unique name into words.
func named(err error, name string) error {
	var violation *pgconn.PgError
	if errors.As(err, &violation) && violation.Code == "23505" {
		return fault.Wrap(fault.Conflict, err, "There is a segment named %q already", name)
	}
	return err
}
