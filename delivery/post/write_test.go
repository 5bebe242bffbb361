package post_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/pdfcpu/pdfcpu/pkg/api"

	"aldine/delivery/post"
	"aldine/internal/fault"
)

var run = post.Run{
	ID: 7, Campaign: "spring-2026", CampaignName: "Spring 2026", Step: "letter", Sender: "Rosengärtnerei Ltd.", SenderLine: "1 Garden Lane, 12345 Blossom",
	Date: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Columns: []string{"first_name", "note"},
}

func letters(n int) iter.Seq2[post.Letter, error] {
	return func(yield func(post.Letter, error) bool) {
		for i := range n {
			cell := []string{"A", "B"}[i%2]
			if !yield(post.Letter{
				CustomerID: int64(i + 1), Cell: cell, Keycode: "KC" + cell, Address: []string{"Ada Łovelace", "12 Straße (Hinterhof)", "10115 Berlin", "GERMANY"},
				Text: "Dear Ada,\n\nroses are back, from €5.\n\nYours\nAldine", URL: fmt.Sprintf("https://example.org/t/c/abc%d", i), Fields: []string{"Ada", "=1+1"},
			}, nil) {
				return
			}
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "7")
	r := run
	r.PerFile = 40
	m, err := post.Write(folder, r, letters(100))
	if err != nil {
		t.Fatal(err)
	}
	if m.Pieces != 100 || m.Cells["A"] != 50 || m.Keycodes["KCB"] != 50 || len(m.Files) != 4 || len(m.Unprintable) != 0 {
		t.Errorf("manifest %+v", m)
	}
	if got, ok := post.Complete(folder); !ok || got.Pieces != 100 {
		t.Errorf("the stored manifest: %v %+v", ok, got)
	}
	pages := 0
	for _, f := range m.Files {
		body, err := os.ReadFile(filepath.Join(folder, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != f.SHA256 || int64(len(body)) != f.Size {
			t.Errorf("%s does not match its sum or size", f.Name)
		}
		if f.Kind != "pdf" {
			continue
		}
		if err := api.Validate(bytes.NewReader(body), nil); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		n, err := api.PageCount(bytes.NewReader(body), nil)
		if err != nil || n != f.Pieces {
			t.Errorf("%s has %d pages for %d letters, %v", f.Name, n, f.Pieces, err)
		}
		pages += n
	}
	if pages != 100 {
		t.Errorf("%d pages", pages)
	}
	f, err := os.Open(filepath.Join(folder, "merge.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 101 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if got := strings.Join(rows[1], "|"); got != "1|A|KCA|https://example.org/t/c/abc0|Ada Łovelace|12 Straße (Hinterhof)|10115 Berlin|GERMANY|||Ada|'=1+1" {
		t.Errorf("row %s", got)
	}
	if _, err := os.Stat(folder + ".tmp"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary folder is still there: %v", err)
	}
}

// TestLetter looks at what stands on the page. The font is addressed by UTF-16 units, so the text can be found as such.
func TestLetter(t *testing.T) {
	t.Parallel()
	for _, us := range []bool{false, true} {
		dir := t.TempDir()
		r := run
		r.Letter = us
		if _, err := post.Write(filepath.Join(dir, "7"), r, letters(1)); err != nil {
			t.Fatal(err)
		}
		content := filepath.Join(dir, "content")
		if err := os.Mkdir(content, 0o700); err != nil {
			t.Fatal(err)
		}
		pdf := filepath.Join(dir, "7", "letters-001.pdf")
		if err := api.ExtractContentFile(pdf, content, nil, nil); err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(content, "*"))
		if err != nil || len(names) != 1 {
			t.Fatalf("%v, %v", names, err)
		}
		body, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		page := strings.NewReplacer(`\(`, "(", `\)`, ")", `\\`, `\`, `\r`, "\r").Replace(string(body))
		for _, want := range []string{"Ada Łovelace", "12 Straße (Hinterhof)", "Your code: KCA", "1 March 2026", "from", "€5.", "Rosengärtnerei Ltd."} {
			if !strings.Contains(page, utf16be(want)) {
				t.Errorf("%q is not on the page", want)
			}
		}
		if n := strings.Count(page, " re f"); n < 100 {
			t.Errorf("the QR code has %d rectangles", n)
		}
		dims, err := api.PageDimsFile(pdf)
		if err != nil || len(dims) != 1 || us != (dims[0].Width > 600) {
			t.Errorf("page size %v, %v", dims, err)
		}
	}
}

func utf16be(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u >> 8))
		b.WriteByte(byte(u))
	}
	return b.String()
}

func TestUnprintable(t *testing.T) {
	t.Parallel()
	m, err := post.Write(filepath.Join(t.TempDir(), "7"), run, func(yield func(post.Letter, error) bool) {
		_ = yield(post.Letter{CustomerID: 1, Address: []string{"Ольга Παππά"}, Text: "ok"}, nil) &&
			yield(post.Letter{CustomerID: 2, Address: []string{"田中 😀"}, Text: "\x00bad\xff\n\n" + strings.Repeat("long ", 2000)}, nil) &&
			yield(post.Letter{CustomerID: 3, Address: []string{"דוד", "2", "3", "4", "5", "6", "7 lines"}}, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Unprintable) != 2 || m.Unprintable[0].CustomerID != 2 || m.Unprintable[0].Characters != "田中😀" || m.Unprintable[1].Characters != "דוד" {
		t.Errorf("%+v", m.Unprintable)
	}
}

func TestWriteFailures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	blocked := filepath.Join(dir, "blocked")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := post.Write(filepath.Join(blocked, "7"), run, letters(1)); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "print folder") {
		t.Errorf("a file in the folder's place: %v", err)
	}
	sorry := errors.New("the database went away")
	folder := filepath.Join(dir, "8")
	if _, err := post.Write(folder, run, func(yield func(post.Letter, error) bool) { yield(post.Letter{}, sorry) }); !errors.Is(err, sorry) {
		t.Errorf("got %v", err)
	}
	if left, _ := filepath.Glob(folder + "*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	folder := filepath.Join(dir, "7")
	_, err := post.Write(folder, run, letters(2000))
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "disk of the print folder is full") {
		t.Errorf("got %v", err)
	}
	if left, _ := filepath.Glob(folder + "*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func BenchmarkLetters(b *testing.B) {
	dir := b.TempDir()
	if _, err := post.Write(filepath.Join(dir, "7"), run, letters(b.N)); err != nil {
		b.Fatal(err)
	}
}
