package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/delivery/post"
	"aldine/internal/fault"
)

// PrintRun is one run of letters.
type PrintRun struct {
	ID         int64      `json:"id"`
	CampaignID int64      `json:"campaign_id"`
	Campaign   string     `json:"campaign"` // code
	StepID     int64      `json:"step_id"`
	StepKey    string     `json:"step_key"`
	State      string     `json:"state"` // open, finished or failed
	Pieces     int        `json:"pieces"`
	Folder     string     `json:"folder"`
	Error      string     `json:"error,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
}

// PrintFile is one file of a finished run.
type PrintFile struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"` // pdf, csv or manifest
	Pieces int    `json:"pieces"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // "" of the manifest, which holds the others'
}

// PrintRuns lists print runs, newest first: of one campaign, or of all where campaignID is 0. before is the id of the
// last one seen, 0 for the first page.
func (s *Service) PrintRuns(ctx context.Context, campaignID, before int64, limit int) ([]PrintRun, error) {
	return s.printRuns(ctx, `(@campaign::bigint = 0 OR r.campaign_id = @campaign) AND (@before::bigint = 0 OR r.print_run_id < @before)`,
		pgx.NamedArgs{"campaign": campaignID, "before": before, "limit": pageSize(limit)})
}

func (s *Service) printRuns(ctx context.Context, where string, args pgx.NamedArgs) ([]PrintRun, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT r.print_run_id, r.campaign_id, c.code, r.step_id, s.key, r.state, r.pieces, r.folder, coalesce(r.error, ''), r.created_at, r.finished_at
		FROM print_runs r JOIN campaigns c ON c.campaign_id = r.campaign_id JOIN steps s ON s.step_id = r.step_id
		WHERE `+where+` ORDER BY r.print_run_id DESC LIMIT @limit`, args)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[PrintRun])
}

func pageSize(limit int) int {
	if limit <= 0 || limit > 1000 {
		return 50
	}
	return limit
}

// PrintFiles gives a run and its files; none before it is finished. Fails with NotFound.
func (s *Service) PrintFiles(ctx context.Context, runID int64) (PrintRun, []PrintFile, error) {
	found, err := s.printRuns(ctx, `r.print_run_id = @run`, pgx.NamedArgs{"run": runID, "limit": 1})
	if err != nil {
		return PrintRun{}, nil, err
	}
	if len(found) == 0 {
		return PrintRun{}, nil, fault.New(fault.NotFound, "There is no print run %d", runID)
	}
	run := found[0]
	if run.State != "finished" {
		return run, []PrintFile{}, nil
	}
	var m post.Manifest
	var body []byte
	if err := s.pool.QueryRow(ctx, `SELECT manifest FROM print_runs WHERE print_run_id = @run`, pgx.NamedArgs{"run": runID}).Scan(&body); err != nil {
		return run, nil, err
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return run, nil, err
	}
	files := make([]PrintFile, 0, len(m.Files)+1)
	for _, f := range m.Files {
		files = append(files, PrintFile(f))
	}
	manifest := PrintFile{Name: post.ManifestName, Kind: "manifest", Pieces: m.Pieces}
	if info, err := os.Stat(filepath.Join(s.config.DataDir, run.Folder, post.ManifestName)); err == nil {
		manifest.Size = info.Size()
	}
	return run, append(files, manifest), nil
}

// OpenPrintFile opens one file of a run; the caller closes it. Fails with NotFound.
func (s *Service) OpenPrintFile(ctx context.Context, runID int64, name string) (*os.File, PrintFile, error) {
	run, files, err := s.PrintFiles(ctx, runID)
	if err != nil {
		return nil, PrintFile{}, err
	}
	for _, f := range files { // only a name in the list is opened, so none can lead elsewhere
		if f.Name != name {
			continue
		}
		file, err := os.Open(filepath.Join(s.config.DataDir, run.Folder, f.Name))
		if errors.Is(err, os.ErrNotExist) {
			return nil, f, fault.New(fault.NotFound, "The file %s of print run %d is not in its folder any more", name, runID)
		}
		return file, f, err
	}
	return nil, PrintFile{}, fault.New(fault.NotFound, "Print run %d has no file %q", runID, name)
}

// runFolder is where a run's files are within the data folder.
func runFolder(b batch, runID int64) string {
	return filepath.Join("print", folderName(b.Code), strconv.FormatInt(runID, 10))
}

// folderName keeps a campaign's code from leading elsewhere.
func folderName(code string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, code)
	if name == "" {
		return "_"
	}
	return name
}
