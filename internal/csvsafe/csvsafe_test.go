package csvsafe

import (
	"bytes"
	"encoding/csv"
	"testing"
)

func TestCell(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                "",
		"Anna":            "Anna",
		"=1+1":            "'=1+1",
		"  =1+1":          "'  =1+1",
		"+cmd|' /C x'!A0": "'+cmd|' /C x'!A0",
		"-2+3":            "'-2+3",
		"@SUM(A1)":        "'@SUM(A1)",
		"\t=1":            "'\t=1",
		"\r=1":            "'\r=1",
		"\n=1":            "'\n=1",
		"＝1+1":            "'＝1+1",
		"-12.50":          "-12.50",
		"+4930123456":     "+4930123456",
		"-":               "'-",
		"-1.":             "'-1.",
		"-1e5":            "'-1e5",
		"a=b":             "a=b",
	} {
		if got := Cell(in); got != want {
			t.Errorf("Cell(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWriter(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := NewWriter(&out)
	if err := w.Write("name", "=A1", "two\nlines, \"quoted\""); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	row, err := csv.NewReader(&out).Read()
	if err != nil || row[0] != "name" || row[1] != "'=A1" || row[2] != "two\nlines, \"quoted\"" {
		t.Errorf("%q, %v", row, err)
	}
}
