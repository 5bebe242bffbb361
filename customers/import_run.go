package customers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"aldine/customers/csvfile"
	"aldine/internal/fault"
)

// Sizes of work: rows and bytes to a chunk (one transaction), and times a chunk is tried when others change the same customers.
const (
	chunkRows  = 20_000
	chunkBytes = 8 << 20 // rows may be long
	chunkTries = 5
)

// Keys of advisory locks: one import is run by one process, and chunks of customers are stored one after the other, so
// that two imports at once do not both create a customer with the same e-mail.
const (
	lockImport    = 0x41_4c_44_01
	lockCustomers = 0x41_4c_44_02
)

var (
	errRunning = fault.New(fault.Conflict, "The import is being run already")
	errStopped = errors.New("the import is not running any more")
)

// RunImport does the work of an import to its end and gives its final state. One that was stopped carries on after the
// last chunk stored. Conflict where it has ended or another process runs it; an import that cannot go on is failed
// and says why. Any other error leaves it to be run again.
func (s *Service) RunImport(ctx context.Context, importID int64) (Import, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return Import{}, err
	}
	defer conn.Release()
	if locked, err := takeImport(ctx, conn, importID); err != nil {
		return Import{}, err
	} else if !locked {
		return Import{}, errRunning
	}
	defer func() { // the session outlives this call
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock(@key, @id)`, pgx.NamedArgs{"key": lockImport, "id": int32(importID)}); err != nil {
			_ = conn.Conn().Close(ctx)
		}
	}()
	imp, err := s.Import(ctx, importID)
	if err != nil {
		return Import{}, err
	}
	if imp.State != ImportWaiting && imp.State != ImportRunning {
		return imp, fault.New(fault.Conflict, "Import %d is %s", importID, imp.State)
	}
	if _, err := s.pool.Exec(ctx, `
		UPDATE imports SET state = 'running', started_at = coalesce(started_at, @now) WHERE import_id = @id AND state IN ('waiting', 'running')`,
		pgx.NamedArgs{"id": importID, "now": s.now()}); err != nil {
		return Import{}, err
	}
	err = s.runImport(ctx, imp)
	switch {
	case err == nil:
		if err = s.gatherStatistics(ctx, imp); err == nil {
			err = s.endImport(ctx, imp, ImportFinished, "")
		}
	case errors.Is(err, errStopped):
		err = nil
	case fault.Is(err, fault.Invalid):
		err = errors.Join(err, s.endImport(ctx, imp, ImportFailed, err.Error()))
	default:
		if ctx.Err() == nil {
			_, noteErr := s.pool.Exec(ctx, `UPDATE imports SET error = 'The import was interrupted and will be tried again' WHERE import_id = @id`,
				pgx.NamedArgs{"id": importID})
			err = errors.Join(err, noteErr)
		}
		return Import{}, fmt.Errorf("import %d: %w", importID, err)
	}
	imp, loadErr := s.Import(ctx, importID)
	return imp, errors.Join(err, loadErr)
}

// takeImport takes the lock on an import. Whoever has just ended a dry run may hold it for a moment more.
func takeImport(ctx context.Context, conn *pgxpool.Conn, importID int64) (locked bool, err error) {
	for range 10 {
		err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(@key, @id)`, pgx.NamedArgs{"key": lockImport, "id": int32(importID)}).Scan(&locked)
		if locked || err != nil {
			break
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	return locked, err
}

func (s *Service) endImport(ctx context.Context, imp Import, state ImportState, reason string) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `
			UPDATE imports SET state = @state, error = nullif(@reason, ''), finished_at = @now,
				bytes_done = CASE WHEN @state = 'finished' THEN file_size ELSE bytes_done END
			WHERE import_id = @id AND state = 'running'`,
			pgx.NamedArgs{"id": imp.ID, "state": state, "reason": reason, "now": s.now()}); err != nil {
			return err
		}
		if imp.DryRun {
			return nil
		}
		if imp.SearchDuplicates && state == ImportFinished && s.searchDuplicatesTx != nil {
			if err := s.searchDuplicatesTx(ctx, tx); err != nil {
				return err
			}
		}
		return s.QueueHouseholdsTx(ctx, tx)
	})
	if err == nil && (!imp.DryRun || state != ImportFinished) {
		s.dropUpload(imp)
	}
	return err
}

// item is one row of the file on its way.
type item struct {
	line   int64
	text   string
	fields []string
	reject string // why it is rejected, "" if it is not

	customer *incoming
	order    *orderRow
	repaired bool // the postal code

	verdict string  // of an order, or of a row that names somebody again; the others follow from who
	who     *person // whom the row is
	ofLine  int64   // of a duplicate in the same chunk: the row that came first

	suppression *Suppression
	number      int64 // of a register
}

// chunk is the rows that are stored in one transaction.
type chunk struct {
	items []item
	size  int   // bytes of the rows
	bytes int64 // read of the file by then

	replay bool     // stored by an earlier run
	ahead  *matcher // whom the rows may be, looked up while the chunk before was being stored
}

// counts are what became of a chunk's rows.
type counts struct{ created, updated, unchanged, duplicates int64 }

// loader is what customers and orders do differently.
type loader interface {
	// same tells whether a row must be in one chunk with the row before.
	same(before, row []string) bool
	// parse fills in the item's values, or its reject; it is called for many items at once.
	parse(*item)
	// replay learns from rows that an earlier run has stored.
	replay(context.Context, []item) error
	// storeTx stores a chunk, rejecting more items where need be.
	storeTx(context.Context, pgx.Tx, []item) (counts, error)
	// stored is called after the commit.
	stored()
}

// finisher is a loader with work that comes after the last row; it may be done again after a stop.
type finisher interface{ finish(context.Context) error }

// beginner is a pool, or the session of a dry run.
type beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// looker is a loader that looks up what its chunks need while the chunk before is being stored.
type looker interface {
	lookAhead(context.Context, []item) (*matcher, error)
	// use gives what was looked up for the chunk that is stored next, nil for nothing.
	use(*matcher)
}

// runImport reads, parses and stores at the same time, chunk after chunk.
func (s *Service) runImport(ctx context.Context, imp Import) error {
	file, err := openFile(imp.path)
	if errors.Is(err, os.ErrNotExist) {
		return fault.BadField("file", "the uploaded file is not there any more")
	}
	if err != nil {
		return err
	}
	defer file.Close()
	l, err := s.newLoader(ctx, imp, file.Header)
	if err != nil {
		return err
	}
	whole := ctx
	var store beginner = s.pool
	var shadow *pgx.Conn
	var schema string
	if imp.DryRun {
		if err := s.beginAnew(ctx, &imp); err != nil {
			return err
		}
		if shadow, schema, err = s.openShadow(ctx, imp.Kind); err != nil {
			return err
		}
		defer shadow.Close(context.WithoutCancel(whole)) //nolint:errcheck // its tables go with it
		store = shadow
	}
	group, ctx := errgroup.WithContext(ctx)
	// The last one holds nothing: a chunk is prepared once the one two before is stored.
	raw, parsed, prepared := make(chan *chunk), make(chan *chunk, 1), make(chan *chunk)
	group.Go(func() error {
		defer close(raw)
		return readChunks(ctx, file, l, imp.Rows, raw)
	})
	group.Go(func() error {
		defer close(parsed)
		for c := range raw {
			half := len(c.items) / 2
			done := make(chan struct{})
			go func() { parseAll(l, c.items[:half]); close(done) }()
			parseAll(l, c.items[half:])
			<-done
			if err := pass(ctx, parsed, c); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		defer close(prepared)
		seen := int64(0)
		for c := range parsed {
			seen += int64(len(c.items))
			c.replay = seen <= imp.Rows
			if looker, ok := l.(looker); ok && !c.replay && !imp.DryRun {
				var err error
				if c.ahead, err = looker.lookAhead(ctx, c.items); err != nil {
					return err
				}
			}
			if err := pass(ctx, prepared, c); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		for c := range prepared {
			if c.replay {
				if err := l.replay(ctx, c.items); err != nil {
					return err
				}
			} else if err := s.storeChunk(ctx, store, schema, imp, l, c); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if f, ok := l.(finisher); ok {
		if err := f.finish(whole); err != nil {
			return err
		}
	}
	report, err := s.report(whole, imp, shadow, schema)
	if err != nil {
		return err
	}
	return s.keepReport(whole, imp.ID, report)
}

func pass(ctx context.Context, to chan<- *chunk, c *chunk) error {
	select {
	case to <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func parseAll(l loader, items []item) {
	for i := range items {
		if items[i].reject == "" {
			l.parse(&items[i])
		}
	}
}

// readChunks sends all rows in chunks; a chunk ends where those stored by an earlier run end.
func readChunks(ctx context.Context, file *csvfile.File, l loader, done int64, to chan<- *chunk) error {
	c := &chunk{}
	send := func() error {
		c.bytes = file.BytesRead()
		err := pass(ctx, to, c)
		c = &chunk{items: make([]item, 0, chunkRows)}
		return err
	}
	rows := int64(0)
	for {
		var next item
		row, err := file.Next()
		var bad *csvfile.RowError
		switch {
		case errors.Is(err, io.EOF):
			if len(c.items) > 0 {
				return send()
			}
			return nil
		case errors.As(err, &bad):
			next = item{line: bad.Line, text: bad.Text, reject: bad.Reason}
		case err != nil:
			return fmt.Errorf("read the uploaded file: %w", err)
		default:
			next = item{line: row.Line, text: row.Text, fields: row.Fields}
		}
		n := len(c.items)
		full := n >= chunkRows || c.size >= chunkBytes
		if full && n < 2*chunkRows && c.size < 2*chunkBytes {
			full = !l.same(c.items[n-1].fields, next.fields)
		}
		if n > 0 && (full || rows == done) {
			if err := send(); err != nil {
				return err
			}
		}
		c.items = append(c.items, next)
		c.size += len(next.text)
		rows++
	}
}

// storeChunk stores one chunk in one transaction, again where somebody else changed the same customers meanwhile.
func (s *Service) storeChunk(ctx context.Context, store beginner, schema string, imp Import, l loader, c *chunk) error {
	rejects := make([]string, len(c.items))
	for i := range c.items {
		rejects[i] = c.items[i].reject
	}
	for try := 1; ; try++ {
		for i := range c.items {
			c.items[i].reject = rejects[i]
		}
		err := pgx.BeginFunc(ctx, store, func(tx pgx.Tx) error { return s.storeChunkTx(ctx, tx, schema, imp, l, c) })
		if err == nil {
			l.stored()
			return nil
		}
		var pe *pgconn.PgError
		again := errors.Is(err, errChanged) || errors.As(err, &pe) && (pe.Code == "23505" || pe.Code == "40P01" || pe.Code == "40001")
		if !again || try == chunkTries {
			return err
		}
		c.ahead = nil
	}
}

func (s *Service) storeChunkTx(ctx context.Context, tx pgx.Tx, schema string, imp Import, l loader, c *chunk) error {
	var state ImportState
	if err := tx.QueryRow(ctx, `SELECT state FROM imports WHERE import_id = @id FOR UPDATE`, pgx.NamedArgs{"id": imp.ID}).Scan(&state); err != nil {
		return err
	}
	if state != ImportRunning {
		return errStopped
	}
	if shadower, ok := l.(shadower); ok && imp.DryRun {
		if err := shadower.shadowTx(ctx, tx, schema, c.items); err != nil {
			return err
		}
	}
	if looker, ok := l.(looker); ok {
		looker.use(c.ahead)
	}
	n, err := l.storeTx(ctx, tx, c.items)
	if err != nil {
		return err
	}
	var rejected [][]any
	repaired := 0
	for i := range c.items {
		if c.items[i].repaired && c.items[i].reject == "" {
			repaired++
		}
		if it := &c.items[i]; it.reject != "" {
			rejected = append(rejected, []any{imp.ID, it.line, it.reject, storable(it.text)})
		}
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"import_rejects"}, []string{"import_id", "line", "reason", "row_text"}, pgx.CopyFromRows(rejected)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE imports SET bytes_done = @bytes, rows = rows + @rows, created = created + @created, updated = updated + @updated,
			unchanged = unchanged + @unchanged, duplicates = duplicates + @duplicates, rejected = rejected + @rejected, repaired = repaired + @repaired
		WHERE import_id = @id`, pgx.NamedArgs{"id": imp.ID, "bytes": min(c.bytes, imp.FileSize), "rows": len(c.items), "created": n.created,
		"updated": n.updated, "unchanged": n.unchanged, "duplicates": n.duplicates, "rejected": len(rejected), "repaired": repaired})
	return err
}
