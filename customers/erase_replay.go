package customers

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// WriteErased writes the keyed hashes of all people who asked to be erased, a line each, to be kept beside backups: a
// restored backup knows those again who were erased after it was made.
func (s *Service) WriteErased(ctx context.Context, to io.Writer) error {
	rows, err := s.pool.Query(ctx, `SELECT kind, key_hash, erased_at, erasure_id FROM erased_identities ORDER BY erased_at, erasure_id, kind, key_hash`)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(to)
	var kind string
	var key []byte
	var at time.Time
	var erasure uuid.UUID
	if _, err := pgx.ForEachRow(rows, []any{&kind, &key, &at, &erasure}, func() error {
		_, err := fmt.Fprintf(out, "%s %s %s %s\n", kind, hex.EncodeToString(key), at.UTC().Format(time.RFC3339Nano), erasure)
		return err
	}); err != nil {
		return err
	}
	return out.Flush()
}

// ReadErased takes the lines of WriteErased in; those known stay. Invalid names the line that is none.
func (s *Service) ReadErased(ctx context.Context, from io.Reader) (added int64, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		lines := bufio.NewScanner(from)
		for n := 1; lines.Scan(); n++ {
			parts := strings.Fields(lines.Text())
			if len(parts) == 0 {
				continue
			}
			bad := func() error { return fault.Bad(fmt.Sprintf("Line %d is not one of a list of erased people", n)) }
			if len(parts) != 4 {
				return bad()
			}
			key, err := hex.DecodeString(parts[1])
			at, timeErr := time.Parse(time.RFC3339Nano, parts[2])
			erasure, idErr := uuid.Parse(parts[3])
			if err != nil || timeErr != nil || idErr != nil || len(key) != 32 ||
				parts[0] != erasedExternal && parts[0] != erasedEmail && parts[0] != erasedPhone && parts[0] != erasedPerson {
				return bad()
			}
			tag, err := tx.Exec(ctx, `INSERT INTO erased_identities (kind, key_hash, erased_at, erasure_id) VALUES (@kind, @key, @at, @erasure)
				ON CONFLICT DO NOTHING`, pgx.NamedArgs{"kind": parts[0], "key": key, "at": at, "erasure": erasure})
			if err != nil {
				return err
			}
			added += tag.RowsAffected()
		}
		return lines.Err()
	})
	return added, err
}

// ReplayErasures erases all customers who are recognised as people who were erased, as after a backup was restored. It
// may be stopped and called again; progress gets the customers looked at and the people erased so far.
func (s *Service) ReplayErasures(ctx context.Context, progress func(looked, erased int64)) (erased int64, err error) {
	attributes := []Attribute{}
	var after ID
	for looked := int64(0); ; {
		rows, err := s.pool.Query(ctx, `SELECT `+selectList(attributes)+` FROM customers c WHERE c.customer_id > @after ORDER BY c.customer_id LIMIT 5000`,
			pgx.NamedArgs{"after": after})
		if err != nil {
			return erased, err
		}
		found, err := pgx.CollectRows(rows, scanner(attributes))
		if err != nil || len(found) == 0 {
			return erased, err
		}
		people := make([]Fields, len(found))
		for i := range found {
			people[i] = found[i].Fields
		}
		reasons, err := s.ErasedReasons(ctx, s.pool, people)
		if err != nil {
			return erased, err
		}
		if reasons == nil { // nobody at all
			return erased, nil
		}
		for i, reason := range reasons {
			if reason == "" {
				continue
			}
			if err := s.Erase(ctx, found[i].ID); err != nil && !fault.Is(err, fault.NotFound) {
				return erased, err
			}
			erased++
		}
		looked += int64(len(found))
		after = found[len(found)-1].ID
		if progress != nil {
			progress(looked, erased)
		}
	}
}

// ErasePreview is what an erasure will touch.
type ErasePreview struct {
	CustomerID   ID    `json:"customer_id"`  // the present number
	Orders       int64 `json:"orders"`       // stay, under the bare number
	Contacts     int64 `json:"contacts"`     // stay, without address
	Planned      int64 `json:"planned"`      // of the contacts: left out
	Responses    int64 `json:"responses"`    // stay, without words
	Events       int64 `json:"events"`       // deleted
	Lists        int64 `json:"lists"`        // left
	Suppressions int64 `json:"suppressions"` // name the person, and are hashed where nobody else has the value
	Merged       int64 `json:"merged"`       // customers merged into this one: erased with it
	SamePerson   int64 `json:"same_person"`  // others found to be the same person: they stay
	Household    int64 `json:"household"`    // others of the household: they stay
}

// ErasePreview tells what erasing a customer will touch. NotFound where there is no customer.
func (s *Service) ErasePreview(ctx context.Context, customerID ID) (p ErasePreview, err error) {
	c, err := s.Get(ctx, customerID)
	if err != nil {
		return p, err
	}
	p.CustomerID = c.ID
	err = s.pool.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM orders o WHERE o.customer_id = c.customer_id),
			(SELECT count(*) FROM touches t WHERE t.customer_id = c.customer_id),
			(SELECT count(*) FROM touches t WHERE t.customer_id = c.customer_id AND (t.state = 'planned' OR t.state = 'sending' AND t.channel = 'calls')),
			(SELECT count(*) FROM responses r WHERE r.customer_id = c.customer_id),
			(SELECT count(*) FROM events e WHERE e.customer_id = c.customer_id),
			(SELECT count(*) FROM list_members m WHERE m.customer_id = c.customer_id),
			(SELECT count(*) FROM suppressions s WHERE s.scope = 'customer' AND s.match_key = c.customer_id::text)
				+ (SELECT count(*) FROM suppressions s WHERE s.scope = 'email' AND s.match_key = lower(c.email))
				+ (SELECT count(*) FROM suppressions s WHERE s.scope = 'phone' AND s.match_key = c.phone),
			(SELECT count(*) FROM customer_aliases a WHERE a.customer_id = c.customer_id),
			(SELECT count(*) FROM customers o WHERE o.person_id = c.person_id AND o.customer_id <> c.customer_id),
			(SELECT count(*) FROM customers o WHERE o.household_id = c.household_id AND o.customer_id <> c.customer_id)
		FROM customers c WHERE c.customer_id = @id`, pgx.NamedArgs{"id": c.ID}).
		Scan(&p.Orders, &p.Contacts, &p.Planned, &p.Responses, &p.Events, &p.Lists, &p.Suppressions, &p.Merged, &p.SamePerson, &p.Household)
	return p, err
}
