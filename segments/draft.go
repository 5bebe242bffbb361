package segments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"aldine/internal/access"
	"aldine/internal/fault"
)

const (
	maxTags  = 20
	maxLabel = 60 // characters of a folder or a tag
)

// checkDraft gives the faults of name and expression together. The expression is checked as if it were saved already
// under the new name and the old ones, so that a circle shows.
func (s *Service) checkDraft(ctx context.Context, tx pgx.Tx, d *Draft, old ...string) error {
	d.Name, d.Description = strings.TrimSpace(d.Name), strings.TrimSpace(d.Description)
	var fields []fault.Field
	switch {
	case slices.Contains(old, d.Name): // it may be of a time when more was allowed
	case d.Name == "":
		fields = append(fields, fault.Field{Name: "name", Message: "give the segment a name"})
	case utf8.RuneCountInString(d.Name) > 100 || !plain(d.Name):
		fields = append(fields, fault.Field{Name: "name", Message: "the name must be at most 100 characters on one line, all of which can be seen"})
	}
	if len(d.Description) > 2000 || !plain(strings.NewReplacer("\n", "", "\r", "", "\t", "").Replace(d.Description)) {
		fields = append(fields, fault.Field{Name: "description", Message: "the description must be text of at most 2000 bytes, without characters that cannot be seen"})
	}
	filed, err := s.checkFiling(ctx, tx, d, len(old) == 0)
	if err != nil {
		return err
	}
	fields = append(fields, filed...)
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

// checkFiling gives the faults of owner, folder and tags, and brings them into their normal form. A new segment belongs to
// the user who saves it unless it names another.
func (s *Service) checkFiling(ctx context.Context, tx pgx.Tx, d *Draft, fresh bool) (fields []fault.Field, err error) {
	d.Owner, d.Folder = strings.TrimSpace(d.Owner), strings.TrimSpace(d.Folder)
	if actor := access.From(ctx); fresh && d.Owner == "" && actor.Kind == "user" {
		d.Owner = actor.Name
	} else if d.Owner != "" {
		err := tx.QueryRow(ctx, `SELECT email FROM users WHERE lower(email) = lower($1) AND disabled_at IS NULL`, storable(d.Owner)).Scan(&d.Owner)
		if errors.Is(err, pgx.ErrNoRows) {
			fields = append(fields, fault.Field{Name: "owner", Message: "there is no user with this e-mail address"})
		} else if err != nil {
			return nil, err
		}
	}
	if !label(d.Folder) {
		fields = append(fields, fault.Field{Name: "folder", Message: fmt.Sprintf("the folder must be at most %d characters on one line, all of which can be seen", maxLabel)})
	}
	tags := []string{}
	for _, tag := range d.Tags {
		tag = strings.TrimSpace(tag)
		if !label(tag) || strings.Contains(tag, ",") {
			fields = append(fields, fault.Field{Name: "tags", Message: fmt.Sprintf("a tag must be at most %d characters on one line, all of which can be seen, without a comma", maxLabel)})
			break
		}
		if tag != "" {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	if d.Tags = slices.Compact(tags); len(d.Tags) > maxTags {
		fields = append(fields, fault.Field{Name: "tags", Message: fmt.Sprintf("at most %d tags", maxTags)})
	}
	return fields, nil
}

func label(s string) bool { return utf8.RuneCountInString(s) <= maxLabel && plain(s) }

// plain tells whether a text looks like what it is: it has no signs that control, turn the direction of writing, or are not seen. Those
// that join letters, or keep them apart, belong to some scripts.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		const keepsApart, joins = 0x200c, 0x200d
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) && r != keepsApart && r != joins
	})
}

// storable makes a text that is looked for one that a database takes; what it changes is the name of nothing.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func (s *Service) draftArgs(ctx context.Context, d Draft) pgx.NamedArgs {
	return pgx.NamedArgs{"name": d.Name, "expression": d.Expression, "description": d.Description, "owner": d.Owner, "folder": d.Folder,
		"tags": d.Tags, "by": access.From(ctx).String(), "now": s.now()}
}
