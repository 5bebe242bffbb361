package post

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"aldine/internal/csvsafe"
	"aldine/internal/fault"
)

// File is one file of a run.
type File struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"` // pdf or csv
	Pieces int    `json:"pieces"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Manifest says what is in a run's folder.
type Manifest struct {
	Run         int64          `json:"run"`
	Campaign    string         `json:"campaign"`
	Name        string         `json:"campaign_name"`
	Step        string         `json:"step"`
	Created     time.Time      `json:"created"`
	Pieces      int            `json:"pieces"`
	SortedBy    string         `json:"sorted_by"`
	Cells       map[string]int `json:"cells"`
	Keycodes    map[string]int `json:"keycodes"`
	Files       []File         `json:"files"`
	Unprintable []Unprintable  `json:"unprintable"` // at most 1,000
	Omitted     []Omitted      `json:"omitted"`
}

// Omitted names a letter that could not be written.
type Omitted struct {
	CustomerID int64  `json:"customer_id"`
	Reason     string `json:"reason"`
}

// Unprintable names a letter with characters that the font cannot print.
type Unprintable struct {
	CustomerID int64  `json:"customer_id"`
	Characters string `json:"characters"`
}

// ManifestName is the manifest's file name.
const ManifestName = "manifest.json"

const (
	perFile        = 5000
	maxUnprintable = 1000
)

// Write makes the run's folder. An error of the letters ends it and comes back as it is; an error of the disk is
// Unavailable and says what is wrong. Nothing with the final name is left behind by a failure.
func Write(folder string, run Run, letters iter.Seq2[Letter, error]) (Manifest, error) {
	if run.PerFile <= 0 {
		run.PerFile = perFile
	}
	tmp := folder + ".tmp"
	if err := errors.Join(os.RemoveAll(tmp), os.MkdirAll(tmp, 0o750)); err != nil {
		return Manifest{}, disk(err)
	}
	w := &writer{folder: tmp, run: run, manifest: Manifest{
		Run: run.ID, Campaign: run.Campaign, Name: run.CampaignName, Step: run.Step, Created: run.Date,
		SortedBy: "country, postal code, customer", Cells: map[string]int{}, Keycodes: map[string]int{}, Unprintable: []Unprintable{}, Omitted: []Omitted{},
	}}
	if err := w.all(letters); err != nil {
		w.abandon()
		_ = os.RemoveAll(tmp) // what is left is overwritten by the next try
		return Manifest{}, err
	}
	if err := errors.Join(os.RemoveAll(folder), os.Rename(tmp, folder), syncDir(filepath.Dir(folder))); err != nil {
		return Manifest{}, disk(err)
	}
	return w.manifest, nil
}

// Complete reads the manifest of a finished folder; ok is false where there is none.
func Complete(folder string) (m Manifest, ok bool) {
	body, err := os.ReadFile(filepath.Join(folder, ManifestName))
	if err != nil || json.Unmarshal(body, &m) != nil {
		return Manifest{}, false
	}
	return m, true
}

type writer struct {
	folder   string
	run      Run
	manifest Manifest
	merge    *output
	rows     *csvsafe.Writer
	doc      *document
	inDoc    int
}

func (w *writer) all(letters iter.Seq2[Letter, error]) error {
	var err error
	if w.merge, err = create(filepath.Join(w.folder, "merge.csv")); err != nil {
		return disk(err)
	}
	w.rows = csvsafe.NewWriter(w.merge)
	header := append([]string{"customer_id", "cell", "keycode", "personal_url", "address_1", "address_2", "address_3", "address_4", "address_5", "address_6"}, w.run.Columns...)
	if err := w.rows.Write(header...); err != nil {
		return disk(err)
	}
	for l, err := range letters {
		if err != nil {
			return err
		}
		if err := w.add(l); err != nil {
			return err
		}
	}
	if err := w.closeDoc(); err != nil {
		return err
	}
	if err := w.rows.Flush(); err != nil {
		return disk(err)
	}
	f, err := w.merge.finish()
	w.merge = nil
	if err != nil {
		return disk(err)
	}
	f.Kind, f.Pieces = "csv", w.manifest.Pieces
	w.manifest.Files = append(w.manifest.Files, f)
	body, err := json.MarshalIndent(w.manifest, "", "  ")
	if err != nil {
		return err
	}
	out, err := create(filepath.Join(w.folder, ManifestName))
	if err != nil {
		return disk(err)
	}
	_, err = out.Write(append(body, '\n'))
	_, finished := out.finish()
	return disk(errors.Join(err, finished, syncDir(w.folder)))
}

func (w *writer) add(l Letter) error {
	if l.Omit != "" {
		w.manifest.Omitted = append(w.manifest.Omitted, Omitted{l.CustomerID, l.Omit})
		return nil
	}
	if w.doc == nil {
		w.doc = newDocument(w.run)
	}
	missing, err := w.doc.add(l)
	if err != nil {
		return fmt.Errorf("letter of customer %d: %w", l.CustomerID, err)
	}
	m := &w.manifest
	if missing != "" && len(m.Unprintable) < maxUnprintable {
		m.Unprintable = append(m.Unprintable, Unprintable{l.CustomerID, missing})
	}
	m.Pieces++
	m.Cells[l.Cell]++
	m.Keycodes[l.Keycode]++
	row := make([]string, 10, 10+len(l.Fields))
	row[0], row[1], row[2], row[3] = strconv.FormatInt(l.CustomerID, 10), l.Cell, l.Keycode, l.URL
	copy(row[4:], l.Address)
	if err := w.rows.Write(append(row, l.Fields...)...); err != nil {
		return disk(err)
	}
	if w.inDoc++; w.inDoc == w.run.PerFile {
		return w.closeDoc()
	}
	return nil
}

func (w *writer) closeDoc() error {
	if w.doc == nil {
		return nil
	}
	out, err := create(filepath.Join(w.folder, fmt.Sprintf("letters-%03d.pdf", len(w.manifest.Files)+1)))
	if err != nil {
		return disk(err)
	}
	err = w.doc.pdf.Output(out)
	f, finished := out.finish()
	if err := errors.Join(err, finished); err != nil {
		return disk(err)
	}
	f.Kind, f.Pieces = "pdf", w.inDoc
	w.manifest.Files = append(w.manifest.Files, f)
	w.doc, w.inDoc = nil, 0
	return nil
}

func (w *writer) abandon() {
	if w.merge != nil {
		_ = w.merge.file.Close()
	}
}

// output is a file that counts and sums what is written to it.
type output struct {
	file *os.File
	sum  hash.Hash
	size int64
}

func create(path string) (*output, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, err
	}
	return &output{file: f, sum: sha256.New()}, nil
}

// Write writes and sums.
func (o *output) Write(b []byte) (int, error) {
	n, err := o.file.Write(b)
	o.sum.Write(b[:n])
	o.size += int64(n)
	return n, err
}

var _ io.Writer = (*output)(nil)

// finish brings the file to the disk and closes it.
func (o *output) finish() (File, error) {
	err := errors.Join(o.file.Sync(), o.file.Close())
	return File{Name: filepath.Base(o.file.Name()), Size: o.size, SHA256: hex.EncodeToString(o.sum.Sum(nil))}, err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// disk turns an error of the file system into what a person can act on.
func disk(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), strings.Contains(err.Error(), "no space left"):
		return fault.Wrap(fault.Unavailable, err, "The disk of the print folder is full: free some space, the run is tried again by itself")
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return fault.Wrap(fault.Unavailable, err, "The print folder cannot be written to: check its owner and permissions")
	}
	return fault.Wrap(fault.Unavailable, err, "The print folder cannot be used")
}
