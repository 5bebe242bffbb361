package customers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/customers/csvfile"
	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/id"
)

// ImportState is where an import stands.
type ImportState string

// The states; a running import that was stopped carries on.
const (
	ImportWaiting   ImportState = "waiting"
	ImportRunning   ImportState = "running"
	ImportFinished  ImportState = "finished"
	ImportFailed    ImportState = "failed"
	ImportCancelled ImportState = "cancelled"
)

// Import is one file on its way into the database. Every row counts once: Rows = Created + Updated + Unchanged +
// Duplicates + Rejected.
type Import struct {
	ID         int64             `json:"id"`
	Kind       string            `json:"kind"` // customers or orders
	FileName   string            `json:"file_name"`
	FileSize   int64             `json:"file_size"`
	ListID     int64             `json:"list_id,omitempty"`
	Mapping    map[string]string `json:"mapping"` // column -> field
	State      ImportState       `json:"state"`
	BytesDone  int64             `json:"bytes_done"`
	Rows       int64             `json:"rows"`
	Created    int64             `json:"created"`
	Updated    int64             `json:"updated"`
	Unchanged  int64             `json:"unchanged"`
	Duplicates int64             `json:"duplicates"` // rows of a customer or order that the file had named already
	Rejected   int64             `json:"rejected"`
	Repaired   int64             `json:"repaired"` // rows whose postal code got back the leading zeros that a spreadsheet took
	DryRun     bool              `json:"dry_run"`  // nothing was changed, and the figures say what an import would do
	Report     *ImportReport     `json:"report,omitempty"`

	SearchDuplicates bool `json:"search_duplicates"` // look for duplicates in the house file afterwards

	Error      string     `json:"error,omitempty"`
	CreatedBy  string     `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`

	path string
}

// StartImport is a file to import.
type StartImport struct {
	Kind     string            // customers or orders
	FileName string            // as the user knows it
	List     string            // name of the list that the customers join; made where it does not exist; "" for none
	Mapping  map[string]string // column -> field, where the header's own proposal is not right; "" leaves a column out
	Body     io.Reader
	Hold     bool // no job is made: the caller runs it with RunImport
	DryRun   bool // nothing is changed: the import tells what it would do, and waits for ImportNow

	SearchDuplicates bool // look for duplicates in the house file afterwards

	options map[string]any // of suppressions and registers: what the rows are about
}

// StartImport stores the file and makes the job that imports it. Before anything is stored in the database, the file's
// header is read: Invalid where the file is empty or no column is known, or the mapping names what does not exist.
func (s *Service) StartImport(ctx context.Context, in StartImport) (Import, error) {
	if _, ok := synonyms[in.Kind]; !ok || (in.options == nil) != (in.Kind == "customers" || in.Kind == "orders") {
		return Import{}, fault.BadField("kind", "%q cannot be imported: use customers or orders", short(in.Kind))
	}
	if in.options == nil {
		in.options = map[string]any{}
	}
	name, err := cleanText(in.FileName)
	if err != nil {
		return Import{}, fault.BadField("file_name", "%v", err)
	}
	in.FileName = name
	if in.List != "" && in.Kind != "customers" {
		return Import{}, fault.BadField("list", "only customers join a list")
	}
	if in.DryRun && in.Kind != "customers" && in.Kind != "orders" {
		return Import{}, fault.BadField("dry_run", "only customers and orders have dry runs")
	}
	if err := s.dropOldDryRuns(ctx); err != nil {
		return Import{}, err
	}
	path, err := s.keepUpload(in.Body)
	if err != nil {
		return Import{}, err
	}
	imp, err := s.startImport(ctx, in, path)
	if err != nil {
		_ = os.Remove(path) // nothing refers to it
	}
	return imp, err
}

func (s *Service) startImport(ctx context.Context, in StartImport, path string) (Import, error) {
	file, err := openFile(path)
	if err != nil {
		return Import{}, err
	}
	defer file.Close()
	attributes, err := s.Attributes(ctx)
	if err != nil {
		return Import{}, err
	}
	mapping, err := chooseMapping(in.Kind, file.Header, attributes, in.Mapping)
	if err != nil {
		return Import{}, err
	}
	var list int64
	if in.List != "" {
		if list, err = s.EnsureList(ctx, in.List); err != nil {
			return Import{}, err
		}
	}
	var imp Import
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			INSERT INTO imports AS i (kind, file_name, file_path, file_size, list_id, mapping, options, dry_run, search_duplicates, state, created_by, created_at)
			VALUES (@kind, @name, @path, @size, nullif(@list::bigint, 0), @mapping, @options, @dry, @search, 'waiting', @actor, @now) RETURNING `+importColumns,
			pgx.NamedArgs{"kind": in.Kind, "name": in.FileName, "path": path, "size": file.Size, "list": list, "mapping": mapping, "options": in.options,
				"dry": in.DryRun, "search": in.SearchDuplicates,
				"actor": actor(ctx), "now": s.now()})
		if err != nil {
			return err
		}
		if imp, err = pgx.CollectExactlyOneRow(rows, scanImport); err != nil {
			return err
		}
		if err := audit.RecordTx(ctx, tx, s.now(), "import.start", "import", imp.ID,
			map[string]any{"kind": in.Kind, "file": in.FileName, "bytes": file.Size, "list": in.List, "dry_run": in.DryRun}); err != nil {
			return err
		}
		if in.Hold {
			return nil
		}
		_, err = s.jobs.InsertTx(ctx, tx, ImportArgs{ImportID: imp.ID}, nil)
		return err
	})
	return imp, err
}

func openFile(path string) (*csvfile.File, error) {
	file, err := csvfile.Open(path)
	switch {
	case errors.Is(err, csvfile.ErrEmpty):
		return nil, fault.BadField("file", "the file is empty")
	case errors.Is(err, csvfile.ErrHeader):
		return nil, fault.BadField("file", "the first line cannot be read as a header: a CSV file's first line names its columns")
	}
	return file, err
}

// keepUpload writes the body to a file of its own, safely on disk.
func (s *Service) keepUpload(body io.Reader) (path string, err error) {
	dir := filepath.Join(s.dataDir, "imports")
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "The folder for imports cannot be made")
	}
	path = filepath.Join(dir, id.New().String()+".csv")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "The upload cannot be stored")
	}
	defer func() {
		err = errors.Join(err, file.Close())
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	if body == nil {
		body = strings.NewReader("")
	}
	if _, err := io.Copy(file, body); err != nil {
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return "", fault.Wrap(fault.Unavailable, err, "The disk is full; the upload cannot be stored")
		}
		return "", fmt.Errorf("store upload: %w", err)
	}
	return path, file.Sync()
}

const importColumns = `i.import_id, i.kind, i.file_name, i.file_path, i.file_size, coalesce(i.list_id, 0), i.mapping, i.state, i.bytes_done, i.rows,
	i.created, i.updated, i.unchanged, i.duplicates, i.rejected, i.repaired, i.dry_run, i.search_duplicates, i.report, coalesce(i.error, ''), i.created_by, i.created_at, i.started_at, i.finished_at`

func scanImport(row pgx.CollectableRow) (i Import, err error) {
	return i, row.Scan(&i.ID, &i.Kind, &i.FileName, &i.path, &i.FileSize, &i.ListID, &i.Mapping, &i.State, &i.BytesDone, &i.Rows,
		&i.Created, &i.Updated, &i.Unchanged, &i.Duplicates, &i.Rejected, &i.Repaired, &i.DryRun, &i.SearchDuplicates, &i.Report, &i.Error, &i.CreatedBy, &i.CreatedAt, &i.StartedAt, &i.FinishedAt)
}

// Import gives one import; NotFound where there is none.
func (s *Service) Import(ctx context.Context, importID int64) (Import, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+importColumns+` FROM imports i WHERE i.import_id = @id`, pgx.NamedArgs{"id": importID})
	if err != nil {
		return Import{}, err
	}
	imp, err := pgx.CollectExactlyOneRow(rows, scanImport)
	if errors.Is(err, pgx.ErrNoRows) {
		return Import{}, fault.New(fault.NotFound, "There is no import %d", importID)
	}
	if err != nil {
		return Import{}, err
	}
	hidden, err := Hidden(ctx, s.pool)
	return imp.shownTo(access.From(ctx).Role, hidden), err
}

// shownTo leaves the values of rejected rows to those who may change customers, and what tells of private attributes to those who may
// see them.
func (i Import) shownTo(role access.Role, hidden Private) Import {
	maps.DeleteFunc(i.Mapping, func(column, field string) bool { return hidden[field] || hidden.In(column) })
	if hidden.In(i.Error) {
		i.Error = tellsPrivate
	}
	if i.Report == nil || role.May(access.CustomersWrite) {
		return i
	}
	for n := range i.Report.Rejected {
		of := &i.Report.Rejected[n]
		if of.Example = ""; hidden.In(of.Reason) {
			of.Reason = tellsPrivate
		}
	}
	return i
}

// tellsPrivate stands for a reason that those who ask may not see.
const tellsPrivate = "it is about a private attribute, which your role may not see"

// Imports lists imports, the newest first, those before the number given (0: from the newest).
func (s *Service) Imports(ctx context.Context, before int64, limit int) ([]Import, error) {
	hidden, err := Hidden(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `SELECT `+importColumns+` FROM imports i WHERE @before = 0 OR i.import_id < @before
		ORDER BY i.import_id DESC LIMIT @limit`, pgx.NamedArgs{"before": before, "limit": max(1, min(limit, 200))})
	if err != nil {
		return nil, err
	}
	role := access.From(ctx).Role
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Import, error) {
		i, err := scanImport(row)
		return i.shownTo(role, hidden), err
	})
}

// Cancel stops an import after the chunk in hand; rows done stay. A dry run's file is thrown away, though it has ended. Conflict where it has ended, NotFound where there is
// none.
func (s *Service) Cancel(ctx context.Context, importID int64) error {
	imp, err := s.Import(ctx, importID)
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE imports SET state = 'cancelled', finished_at = @now 
			WHERE import_id = @id AND (state IN ('waiting', 'running') OR dry_run AND state = 'finished')`,
			pgx.NamedArgs{"id": importID, "now": s.now()})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.Conflict, "Import %d has ended already", importID)
		}
		if err := s.QueueHouseholdsTx(ctx, tx); err != nil { // rows done stay
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "import.cancel", "import", importID, nil)
	})
	if err == nil {
		s.dropUpload(imp)
	}
	return err
}

// dropUpload removes the file of an import that has ended: it holds personal data that nobody needs any more.
func (s *Service) dropUpload(imp Import) {
	if err := os.Remove(imp.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.log.Warn("the upload of an import was not removed", "import", imp.ID, "err", err)
	}
}

// ProposeMapping gives the field of each column that the header tells, as StartImport would choose it.
func (s *Service) ProposeMapping(ctx context.Context, kind string, header []string) (map[string]string, error) {
	attributes, err := s.Attributes(ctx)
	if err != nil {
		return nil, err
	}
	return proposeMapping(kind, header, attributes), nil
}
