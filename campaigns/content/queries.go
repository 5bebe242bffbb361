package content

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

const selectTemplate = `
	SELECT t.template_id, t.name, t.channel, v.version, v.subject, v.html, v.body, v.created_by, v.created_at, t.updated_at
	FROM templates t JOIN template_versions v ON v.template_id = t.template_id `

func scan(row pgx.CollectableRow) (Template, error) {
	var t Template
	err := row.Scan(&t.ID, &t.Name, &t.Channel, &t.Version, &t.Subject, &t.HTML, &t.Body, &t.CreatedBy, &t.CreatedAt, &t.UpdatedAt)
	return t, err
}

// Load reads one version; version 0 means the newest. Fails with NotFound.
func Load(ctx context.Context, q Querier, id int64, version int) (Template, error) {
	rows, err := q.Query(ctx, selectTemplate+`
		WHERE t.template_id = @id AND v.version = CASE WHEN @version::int = 0 THEN t.version ELSE @version::int END`,
		pgx.NamedArgs{"id": id, "version": version})
	if err != nil {
		return Template{}, err
	}
	return one(rows, strconv.FormatInt(id, 10))
}

// Find gives the newest version of the template with a name, or with the id written as a number. Fails with NotFound.
func Find(ctx context.Context, q Querier, nameOrID string) (Template, error) {
	if id, err := strconv.ParseInt(nameOrID, 10, 64); err == nil {
		return Load(ctx, q, id, 0)
	}
	rows, err := q.Query(ctx, selectTemplate+`AND v.version = t.version WHERE t.name = @name`, pgx.NamedArgs{"name": nameOrID})
	if err != nil {
		return Template{}, err
	}
	return one(rows, nameOrID)
}

func one(rows pgx.Rows, what string) (Template, error) {
	t, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return Template{}, fault.New(fault.NotFound, "There is no template %q", what)
	}
	return t, err
}

// Get gives a template's newest version as the actor may see it. Fails with NotFound.
func (s *Store) Get(ctx context.Context, id int64) (Template, error) {
	t, err := Load(ctx, s.pool, id, 0)
	seen, err := s.seen(ctx, []Template{t}, err)
	if err != nil {
		return Template{}, err
	}
	return seen[0], nil
}

// List gives the newest versions by name, as the actor may see them.
func (s *Store) List(ctx context.Context, q Query) ([]Template, error) {
	if q.Limit <= 0 || q.Limit > 500 {
		q.Limit = 50
	}
	rows, err := s.pool.Query(ctx, selectTemplate+`AND v.version = t.version
		WHERE (@search::text = '' OR strpos(lower(t.name), lower(@search)) > 0) AND (@channel::text = '' OR t.channel = @channel)
			AND (@after::text = '' OR t.name > @after)
		ORDER BY t.name LIMIT @limit`,
		pgx.NamedArgs{"search": strings.TrimSpace(q.Search), "channel": q.Channel, "after": q.After, "limit": q.Limit})
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, scan)
	return s.seen(ctx, list, err)
}

// Versions gives all versions of a template, newest first, as the actor may see them. Fails with NotFound.
func (s *Store) Versions(ctx context.Context, id int64) ([]Template, error) {
	rows, err := s.pool.Query(ctx, selectTemplate+`WHERE t.template_id = @id ORDER BY v.version DESC LIMIT 1000`, pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, scan)
	if err == nil && len(all) == 0 {
		err = fault.New(fault.NotFound, "There is no template %d", id)
	}
	return s.seen(ctx, all, err)
}
