package mergepurge

import (
	"context"
	"errors"
	"io"
	"os"

	"aldine/customers"
	"aldine/customers/csvfile"
	"aldine/internal/fault"
)

// Preview gives the first n rows (at most 200) of an input's file as the run would take them. Invalid for the house
// file, Conflict where the file is not kept any more.
func (s *Service) Preview(ctx context.Context, runID int64, no, n int) (Preview, error) {
	run, err := s.run(ctx, s.pool, runID, "")
	if err != nil {
		return Preview{}, err
	}
	in, err := run.input(no)
	if err != nil {
		return Preview{}, err
	}
	if in.Kind == House {
		return Preview{}, fault.New(fault.Invalid, "The house file has no rows to preview: its customers are in the database")
	}
	file, reader, err := s.openInput(ctx, in)
	if err != nil {
		return Preview{}, err
	}
	defer file.Close()
	p := Preview{Header: file.Header, Mapping: reader.Mapping(), Fields: customers.MergeFields()}
	for range max(1, min(n, 200)) {
		row, err := file.Next()
		var bad *csvfile.RowError
		switch {
		case errors.Is(err, io.EOF):
			return p, nil
		case errors.As(err, &bad):
			p.Rows = append(p.Rows, PreviewRow{Line: bad.Line, Cells: []string{bad.Text}, Verdict: "rejected: " + bad.Reason})
			continue
		case err != nil:
			return p, err
		}
		read, reject := reader.Read(row.Fields)
		shown := PreviewRow{Line: row.Line, Cells: row.Fields, Standard: standard(&read), Verdict: "taken"}
		if reject != "" {
			shown.Verdict = "rejected: " + reject
		}
		p.Rows = append(p.Rows, shown)
	}
	return p, nil
}

// openInput opens an input's file with a reader of its rows.
func (s *Service) openInput(ctx context.Context, in *Input) (*csvfile.File, *customers.MergeReader, error) {
	file, err := openFile(in.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, fault.New(fault.Conflict, "The file of input %d is not kept any more", in.No)
	}
	if err != nil {
		return nil, nil, err
	}
	reader, err := s.customers.NewMergeReader(ctx, file.Header, whole(file.Header, in.Mapping), in.Kind == Suppression)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, reader, nil
}

// whole says of every column what it holds, so that one left out is not found again by its header.
func whole(header []string, mapping map[string]string) map[string]string {
	m := make(map[string]string, len(header))
	for _, h := range header {
		m[h] = mapping[h]
	}
	return m
}

func standard(row *customers.MergeRow) map[string]string {
	m := map[string]string{}
	for name, v := range row.Named() {
		m[name] = v
	}
	return m
}
