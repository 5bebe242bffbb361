package customers

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/customers/normal"
	"aldine/internal/audit"
	"aldine/internal/fault"
)

// Kinds of erased_identities: what a person who asked to be erased is recognised by.
const (
	erasedExternal = "external_id"
	erasedEmail    = "email"  // an e-mail that nobody else had; or any with the name
	erasedPhone    = "phone"  // with the name
	erasedPerson   = "person" // name at address
)

// erasedKey derives the key of the hashes from the installation's secret. Without a secret it lasts as long as the process.
func erasedKey(secret []byte) []byte {
	if len(secret) == 0 {
		secret = make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
	}
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("aldine: erased identities"))
	return m.Sum(nil)
}

// identityHasher makes the hashes; not for concurrent use.
type identityHasher struct {
	mac     hash.Hash
	country string // where an address says none
}

func (s *Service) identityHasher(ctx context.Context) (*identityHasher, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	return &identityHasher{hmac.New(sha256.New, s.erasedKey), v.DefaultCountry}, nil
}

func (h *identityHasher) sum(kind string, parts ...string) []byte {
	h.mac.Reset()
	h.mac.Write([]byte(kind))
	for _, p := range parts {
		h.mac.Write([]byte{0})
		h.mac.Write([]byte(p))
	}
	return h.mac.Sum(nil)
}

// identityHash is one thing that a person is recognised by.
type identityHash struct {
	kind  string
	key   []byte
	alone bool // an e-mail without a name: kept only where nobody else has it
}

// of gives all that the fields can be recognised by.
func (h *identityHasher) of(f *Fields) []identityHash {
	var out []identityHash
	add := func(alone bool, kind string, parts ...string) {
		out = append(out, identityHash{kind, h.sum(kind, parts...), alone})
	}
	given, _ := normal.GivenName(f.FirstName)
	name := given + " " + normal.FamilyName(f.LastName)
	if name == " " {
		name = normal.Company(f.Company)
	}
	if f.ExternalID != "" {
		add(false, erasedExternal, f.ExternalID)
	}
	if f.Email != "" {
		add(true, erasedEmail, strings.ToLower(f.Email))
		if name != "" {
			add(false, erasedEmail, strings.ToLower(f.Email), name)
		}
	}
	if f.Phone != "" {
		add(false, erasedPhone, f.Phone, name)
	}
	if address := normal.AddressHash(normal.Address(f.Address().in(h.country))); address != 0 && name != "" {
		add(false, erasedPerson, strconv.FormatInt(address, 10), name)
	}
	return out
}

// recognition is what one of several people is recognised by as somebody who asked to be erased.
type recognition struct {
	at   time.Time
	keys map[string]bool // of identityHash.text
}

func (x identityHash) text() string { return x.kind + string(x.key) }

func (r *recognition) reason() string {
	return "asked to be erased on " + r.at.UTC().Format(time.DateOnly) + "; not taken in again"
}

// recognise gives those of the people who are recognised, by their places. Where nobody has been erased it is nil and costs
// next to nothing; else it is one look-up for all.
func (s *Service) recognise(ctx context.Context, q Querier, people []Fields) (map[int32]*recognition, error) {
	rows, err := q.Query(ctx, `SELECT EXISTS (SELECT 1 FROM erased_identities)`)
	if err != nil {
		return nil, err
	}
	if any, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool]); err != nil || !any {
		return nil, err
	}
	h, err := s.identityHasher(ctx)
	if err != nil {
		return nil, err
	}
	var kinds []string
	var keys [][]byte
	var of []int32
	for i := range people {
		for _, x := range h.of(&people[i]) {
			kinds, keys, of = append(kinds, x.kind), append(keys, x.key), append(of, int32(i))
		}
	}
	rows, err = q.Query(ctx, `
		SELECT t.who, e.erased_at, e.kind, e.key_hash FROM unnest(@kinds::text[], @keys::bytea[], @of::int[]) AS t (kind, key_hash, who)
		JOIN erased_identities e ON e.kind = t.kind AND e.key_hash = t.key_hash ORDER BY t.who, e.erased_at`,
		pgx.NamedArgs{"kinds": kinds, "keys": keys, "of": of})
	if err != nil {
		return nil, err
	}
	var who int32
	var at time.Time
	var x identityHash
	out := map[int32]*recognition{}
	_, err = pgx.ForEachRow(rows, []any{&who, &at, &x.kind, &x.key}, func() error {
		if out[who] == nil {
			out[who] = &recognition{at, map[string]bool{}}
		}
		out[who].keys[x.text()] = true
		return nil
	})
	return out, err
}

// ErasedReasons tells of each of the people whether it is somebody who asked to be erased: why the row is not taken in,
// "" where it may be; nil where nobody has been erased. Fields are in normal form. Whoever takes people in from outside
// asks it of those who are new.
func (s *Service) ErasedReasons(ctx context.Context, q Querier, people []Fields) ([]string, error) {
	found, err := s.recognise(ctx, q, people)
	if found == nil || err != nil {
		return nil, err
	}
	out := make([]string, len(people))
	for i, r := range found {
		out[i] = r.reason()
	}
	return out, nil
}

// erasedRows knows the rows of a chunk that are recognised.
type erasedRows struct {
	rows   map[int32]*recognition
	hasher *identityHasher
}

func (l *customerLoader) erased(ctx context.Context, q Querier, items []item) (e erasedRows, err error) {
	people := make([]Fields, len(items))
	for i := range items {
		if in := items[i].customer; in != nil {
			people[i] = in.Fields
		}
	}
	if e.rows, err = l.service.recognise(ctx, q, people); len(e.rows) > 0 && err == nil {
		e.hasher, err = l.service.identityHasher(ctx)
	}
	return e, err
}

// reject tells why a row is not taken in, "" where it is. One that names a customer, p, is taken in unless it would give them what an
// erased person was recognised by: what they have already, such as a namesake in the same house, they keep.
func (e *erasedRows) reject(i int, in *incoming, p *person) string {
	r := e.rows[int32(i)]
	if r == nil {
		return ""
	}
	if p == nil {
		return r.reason()
	}
	theirs := map[string]bool{}
	for _, x := range e.hasher.of(&p.Fields) {
		theirs[x.text()] = true
	}
	for _, x := range e.hasher.of(&in.Fields) {
		if r.keys[x.text()] && !theirs[x.text()] {
			return "it names a customer, but what it says is of a person who " + r.reason()
		}
	}
	return ""
}

// refuseErased is ErasedReasons for one new customer: Conflict where it is somebody who asked to be erased.
func (s *Service) refuseErased(ctx context.Context, q Querier, f Fields) error {
	reasons, err := s.ErasedReasons(ctx, q, []Fields{f})
	if err == nil && reasons != nil && reasons[0] != "" {
		return fault.New(fault.Conflict, "This person %s. An administrator can lift that where the person wants it", reasons[0])
	}
	return err
}

// LiftErasure lets a person come in again who asked to be erased, and now wants to. One thing that he or she is recognised by is enough:
// external id, e-mail, phone with name, or name with address. It gives the number of people; NotFound where nobody is
// recognised. Suppressions of the values typed hold in clear again.
func (s *Service) LiftErasure(ctx context.Context, typed Fields) (int64, error) {
	var faults []fault.Field
	v, err := s.settings.Get(ctx)
	if err != nil {
		return 0, err
	}
	country := v.DefaultCountry
	if code, err := cleanCountry(typed.Country); err == nil && code != "" {
		country = code
	}
	for i, p := range typed.refs() {
		clean, err := cleanCore(coreNames[i], *p, country)
		if err != nil {
			faults = append(faults, fault.Field{Name: coreNames[i], Message: fmt.Sprintf("%q %v", short(*p), err)})
		}
		*p = clean
	}
	if faults != nil {
		return 0, fault.Bad("The value is not valid", faults...)
	}
	h, err := s.identityHasher(ctx)
	if err != nil {
		return 0, err
	}
	var kinds []string
	var keys [][]byte
	for _, x := range h.of(&typed) {
		kinds, keys = append(kinds, x.kind), append(keys, x.key)
	}
	var lifted int64
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `
			WITH people AS (SELECT DISTINCT e.erasure_id FROM erased_identities e
				JOIN unnest(@kinds::text[], @keys::bytea[]) AS t (kind, key_hash) ON e.kind = t.kind AND e.key_hash = t.key_hash),
			gone AS (DELETE FROM erased_identities e USING people p WHERE e.erasure_id = p.erasure_id)
			SELECT count(*) FROM people`, pgx.NamedArgs{"kinds": kinds, "keys": keys}).Scan(&lifted); err != nil {
			return err
		}
		if lifted == 0 {
			return fault.New(fault.NotFound, "Nobody who was erased is recognised by this; a phone needs the name, a name the address")
		}
		for _, x := range []struct{ scope, value string }{{ScopeEmail, strings.ToLower(typed.Email)}, {ScopePhone, typed.Phone}} {
			if x.value == "" {
				continue
			}
			if _, err := tx.Exec(ctx, `UPDATE suppressions s SET match_key = @value, value = @value WHERE scope = @scope AND match_key = @hashed
				AND NOT EXISTS (SELECT 1 FROM suppressions o WHERE o.scope = s.scope AND o.match_key = @value AND o.channel = s.channel)`,
				pgx.NamedArgs{"scope": x.scope, "value": x.value, "hashed": h.suppressionKey(x.scope, x.value)}); err != nil {
				return err
			}
		}
		return audit.RecordTx(ctx, tx, s.now(), "erasure.lift", "erasure", "one", map[string]any{"by": slices.Compact(slices.Sorted(slices.Values(kinds)))})
	})
	return lifted, err
}

// suppressionKey is what stands instead of an erased person's e-mail or phone on the suppression list.
func (h *identityHasher) suppressionKey(scope, value string) string {
	return "erased:" + hex.EncodeToString(h.sum("suppression "+scope, value))
}

// keepErasedTx stores the hashes of one erased person.
func keepErasedTx(ctx context.Context, tx pgx.Tx, hashes []identityHash, erasure uuid.UUID, at time.Time) error {
	kinds, keys := make([]string, len(hashes)), make([][]byte, len(hashes))
	for i, x := range hashes {
		kinds[i], keys[i] = x.kind, x.key
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO erased_identities (kind, key_hash, erased_at, erasure_id)
		SELECT DISTINCT kind, key_hash, @at::timestamptz, @erasure::uuid FROM unnest(@kinds::text[], @keys::bytea[]) AS t (kind, key_hash)
		ON CONFLICT (kind, key_hash) DO UPDATE SET erased_at = excluded.erased_at, erasure_id = excluded.erasure_id`,
		pgx.NamedArgs{"kinds": kinds, "keys": keys, "at": at, "erasure": erasure})
	return err
}
