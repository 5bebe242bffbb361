package customers

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Looking up whom the rows of a chunk may be takes a third of the time that storing them takes, and is done while the
// chunk before is being stored. What that chunk has made new or changed is read again before it is relied on.

// lookAhead looks up whom a chunk's rows may be.
func (l *customerLoader) lookAhead(ctx context.Context, items []item) (*matcher, error) {
	others, err := l.otherRows(ctx, l.service.pool)
	if err != nil {
		return nil, err
	}
	m, err := l.newMatcher(ctx, l.service.pool, items)
	if err == nil {
		m.others = others
	}
	return m, err
}

func (l *customerLoader) use(m *matcher) { l.ahead = m }

// otherRows counts what other imports have stored; it grows with each of their chunks.
func (l *customerLoader) otherRows(ctx context.Context, q Querier) (n int64, err error) {
	rows, err := q.Query(ctx, `SELECT coalesce(sum(rows), 0)::bigint FROM imports WHERE import_id <> @id AND kind = 'customers'`, pgx.NamedArgs{"id": l.imp.ID})
	if err != nil {
		return 0, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
}

// matcherTx gives the matcher of a chunk that is about to be stored: what was looked up ahead, or anew where another import
// has stored something since. The caller holds the lock under which imports store.
func (l *customerLoader) matcherTx(ctx context.Context, tx pgx.Tx, items []item) (*matcher, error) {
	if l.ahead == nil {
		return l.newMatcher(ctx, tx, items)
	}
	others, err := l.otherRows(ctx, tx)
	if err != nil {
		return nil, err
	}
	if others != l.ahead.others {
		return l.newMatcher(ctx, tx, items)
	}
	if l.last == nil {
		return l.ahead, nil
	}
	return l.ahead, l.catchUp(ctx, tx, l.ahead, items)
}

// catchUp brings to the matcher those whom the chunk stored last has made new or changed.
func (l *customerLoader) catchUp(ctx context.Context, tx pgx.Tx, m *matcher, items []item) error {
	var ids []ID
	changed := map[ID]bool{}
	meet := func(p *person) bool {
		if p == nil || !p.isNew && !p.changed && !p.touched {
			return false
		}
		ids = append(ids, p.ID)
		return true
	}
	for _, p := range l.last.people {
		if !p.isNew && (p.changed || p.touched) {
			changed[p.ID] = true
		}
	}
	mine := make(map[ID]*person)
	for _, p := range m.people {
		if changed[p.ID] {
			ids = append(ids, p.ID)
			mine[p.ID] = p
		}
	}
	var externals, emails []lookedUp[string]
	var identities []lookedUp[int64]
	for i := range items {
		in := items[i].customer
		if in == nil {
			continue
		}
		if p := l.last.byExternal[in.ExternalID]; in.ExternalID != "" && meet(p) {
			externals = append(externals, lookedUp[string]{in.ExternalID, p.ID})
		}
		if in.emailKey != "" {
			for _, p := range l.last.byEmail[in.emailKey] {
				if meet(p) {
					emails = append(emails, lookedUp[string]{in.emailKey, p.ID})
				}
			}
		}
		if in.identity != 0 {
			if p := l.last.byIdentity[in.identity]; meet(p) {
				identities = append(identities, lookedUp[int64]{in.identity, p.ID})
			}
		}
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return nil
	}
	found, err := load(ctx, tx, l.attributes, ids)
	if err != nil {
		return err
	}
	for i := range found {
		c := &found[i]
		p := mine[c.ID]
		if p == nil {
			p = &person{}
			mine[c.ID] = p
			m.people = append(m.people, p)
		}
		p.Customer, p.before = c, c.Fields
	}
	slices.SortFunc(m.people, func(a, b *person) int { return cmp.Compare(a.ID, b.ID) })
	for _, k := range externals {
		if p := mine[k.id]; p != nil {
			m.byExternal[k.key] = p
		}
	}
	for _, k := range emails {
		if p := mine[k.id]; p != nil && !slices.Contains(m.byEmail[k.key], p) {
			m.byEmail[k.key] = append(m.byEmail[k.key], p)
			slices.SortFunc(m.byEmail[k.key], func(a, b *person) int { return cmp.Compare(a.ID, b.ID) })
		}
	}
	for _, k := range identities {
		if p := mine[k.id]; p != nil && (m.byIdentity[k.key] == nil || m.byIdentity[k.key].ID > p.ID) {
			m.byIdentity[k.key] = p
		}
	}
	return nil
}
