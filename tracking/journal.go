package tracking

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/internal/id"
)

// A hit is answered once it stands in the journal, with all others of the same moment in one row: that costs one narrow insert a commit,
// looks nothing up and waits for nobody who reads or changes responses. Landing puts hits among the responses shortly after, more at a time.
//
// A row of the journal is a version, the texts that hits share, and the hits: sixteen bytes of id, kind, flags, time in microseconds, four
// numbers and the number of the text.
const journalVersion = 1

const (
	flagMachine = 1 << iota
	flagHere
	flagSuspect
)

var kindCodes = [...]Kind{1: KindOpen, 2: KindClick}

// pack writes hits down.
func pack(hits []*hit) []byte {
	texts := make(map[string]uint64, 16)
	var list []string
	size := 16
	for _, h := range hits {
		if _, ok := texts[h.detail]; !ok {
			texts[h.detail] = uint64(len(list))
			list = append(list, h.detail)
			size += len(h.detail) + 4
		}
	}
	b := make([]byte, 0, size+48*len(hits))
	b = append(b, journalVersion)
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, t := range list {
		b = binary.AppendUvarint(b, uint64(len(t)))
		b = append(b, t...)
	}
	for _, h := range hits {
		b = append(b, h.id[:]...)
		kind := byte(1)
		if h.kind == KindClick {
			kind = 2
		}
		b = append(b, kind, h.flags())
		b = binary.AppendVarint(b, h.at.UnixMicro())
		for _, n := range [...]int64{h.token.CampaignID, h.token.StepID, h.token.CustomerID, h.token.LinkID} {
			b = binary.AppendUvarint(b, uint64(n))
		}
		b = binary.AppendUvarint(b, texts[h.detail])
	}
	return b
}

func (h *hit) flags() (f byte) {
	if h.machine {
		f |= flagMachine
	}
	if h.here {
		f |= flagHere
	}
	if h.suspect {
		f |= flagSuspect
	}
	return f
}

var errJournal = errors.New("this row of the journal of hits cannot be read")

// unpack reads what pack wrote.
func unpack(b []byte) ([]*hit, error) {
	if len(b) == 0 || b[0] != journalVersion {
		return nil, errJournal
	}
	b = b[1:]
	bad := false
	number := func() uint64 {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			bad = true
			return 0
		}
		b = b[size:]
		return n
	}
	count := number()
	if bad || count > uint64(len(b)) {
		return nil, errJournal
	}
	texts := make([]string, count)
	for i := range texts {
		n := number()
		if bad || n > uint64(len(b)) {
			return nil, errJournal
		}
		texts[i], b = string(b[:n]), b[n:]
	}
	var hits []*hit
	for len(b) > 0 {
		if len(b) < 18 || int(b[16]) >= len(kindCodes) || b[16] == 0 {
			return nil, errJournal
		}
		h := &hit{id: uuid.UUID(b[:16]), kind: kindCodes[b[16]], machine: b[17]&flagMachine != 0, here: b[17]&flagHere != 0, suspect: b[17]&flagSuspect != 0}
		b = b[18:]
		micros, size := binary.Varint(b)
		if size <= 0 {
			return nil, errJournal
		}
		b = b[size:]
		h.at = time.UnixMicro(micros)
		h.token = Token{int64(number()), int64(number()), int64(number()), int64(number())}
		text := number()
		if bad || text >= uint64(len(texts)) {
			return nil, errJournal
		}
		h.detail = texts[text]
		hits = append(hits, h)
	}
	return hits, nil
}

// commitTimeout bounds one commit, so that a database that hangs turns hits away instead of piling them up.
const commitTimeout = 10 * time.Second

// storeHits commits a batch to the journal; after a failure it tries once more, because a connection may have been cut by a restart of the database. The
// same row twice is one.
func (s *Service) storeHits(hits []*hit) error {
	row, packed, now := [16]byte(id.New()), pack(hits), s.now()
	var err error
	for range 2 {
		ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
		_, err = s.pool.Exec(ctx, `INSERT INTO hit_journal (journal_id, at, hits) VALUES ($1, $2, $3) ON CONFLICT (journal_id) DO NOTHING`, row, now, packed)
		cancel()
		if err == nil {
			s.metrics.commits.Inc()
			s.landing.wake()
			return nil
		}
	}
	s.log.Error("hits could not be stored", "hits", len(hits), "error", err)
	return err
}

const (
	landRows  = 200  // rows of the journal at most that land together
	landHits  = 4000 // hits at which no more rows are taken
	landPause = 50 * time.Millisecond
)

// Land puts hits from the journal among the responses, in the order in which they were answered, and tells whether there may be more. While another
// process does, it waits.
func (s *Service) Land(ctx context.Context) (more bool, err error) {
	select { // one of this process at a time, so that few connections wait
	case s.landingNow <- struct{}{}:
		defer func() { <-s.landingNow }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	more, err = s.land(ctx, landRows)
	if err == nil || ctx.Err() != nil || !unstorable(err) {
		return more, err
	}
	// One of them cannot be stored: one by one, so that it does not hold up the others.
	for range landRows {
		if more, err = s.land(ctx, 1); err != nil || !more {
			return more, err
		}
	}
	return more, err
}

func (s *Service) land(ctx context.Context, limit int) (more bool, err error) {
	var first uuid.UUID
	var hits []*hit
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := customers.LandingTx(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT journal_id, hits FROM hit_journal WHERE NOT aside ORDER BY journal_id LIMIT $1 FOR UPDATE`, limit)
		if err != nil {
			return err
		}
		var ids [][16]byte
		var row uuid.UUID
		var packed []byte
		var broken error
		if _, err := pgx.ForEachRow(rows, []any{&row, &packed}, func() error {
			if len(ids) == 0 {
				first = row
			}
			if len(hits) >= landHits {
				more = true
				return nil
			}
			part, err := unpack(packed)
			if err != nil {
				broken = err
			}
			ids, hits = append(ids, row), append(hits, part...)
			return nil
		}); err != nil || len(ids) == 0 {
			return err
		}
		if broken != nil {
			return broken
		}
		more = more || len(ids) == limit
		if err := s.landTx(ctx, tx, hits); err != nil {
			return err
		}
		if err := s.creditLateTx(ctx, tx, hits); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM hit_journal WHERE journal_id = ANY ($1)`, ids)
		return err
	})
	if err != nil && limit == 1 && unstorable(err) {
		s.log.Error("hits are put aside: they cannot be stored", "journal_id", first, "error", err)
		_, err = s.pool.Exec(ctx, `UPDATE hit_journal SET aside = true WHERE journal_id = $1`, [16]byte(first))
		return true, err
	}
	if err != nil {
		return false, err
	}
	for _, h := range hits {
		s.metrics.hits.WithLabelValues(string(h.kind), machineLabel(h.machine)).Inc()
	}
	if len(hits) > 0 {
		s.followups.wake()
	}
	return more, nil
}
