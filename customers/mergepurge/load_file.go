package mergepurge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"aldine/customers"
	"aldine/customers/csvfile"
	"aldine/internal/fault"
)

// chunkBytes ends a chunk before it has all its rows: they may be long.
const chunkBytes = 8 << 20

// chunk is some rows of a file on their way.
type chunk struct {
	rows  []csvfile.Row // a row without fields is one that could not be read; its text says why
	size  int
	bytes int64 // read of the file by then
	first int64 // number of its first record
	lines [2]bytes.Buffer
}

// loadFile makes a record of each row of a file: one goroutine reads, two bring rows into normal form, one copies them
// into the database. A load that was stopped passes over the rows stored.
func (s *Service) loadFile(ctx context.Context, run *Run, in *Input) error {
	file, reader, err := s.openInput(ctx, in)
	if fault.Is(err, fault.Conflict) || errors.Is(err, os.ErrNotExist) {
		return fault.BadField("file", "the file of input %d is not there any more", in.No)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	first := run.first(in.No)
	group, within := errgroup.WithContext(ctx)
	read, made := make(chan *chunk, 1), make(chan *chunk, 1)
	group.Go(func() error {
		defer close(read)
		return s.readChunks(within, file, first, in.Rows, read)
	})
	group.Go(func() error {
		defer close(made)
		for c := range read {
			half, done := len(c.rows)/2, make(chan struct{})
			go func() {
				writeLines(&c.lines[0], run.ID, in, reader, c.rows[:half], c.first)
				close(done)
			}()
			writeLines(&c.lines[1], run.ID, in, reader, c.rows[half:], c.first+int64(half))
			<-done
			if err := send(within, made, c); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		for c := range made {
			if err := s.storeChunk(within, run, in, c); err != nil {
				return err
			}
		}
		return within.Err()
	})
	if err := group.Wait(); err != nil {
		return err
	}
	in.BytesDone = in.FileSize
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.loadedTx(ctx, tx, run, in, true) })
}

func send(ctx context.Context, to chan<- *chunk, c *chunk) error {
	select {
	case to <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readChunks reads the file's rows after those done.
func (s *Service) readChunks(ctx context.Context, file *csvfile.File, first, done int64, to chan<- *chunk) error {
	c := &chunk{first: first + done}
	for n := int64(0); ; n++ {
		row, err := file.Next()
		var bad *csvfile.RowError
		switch {
		case errors.Is(err, io.EOF):
			if len(c.rows) == 0 {
				return nil
			}
			c.bytes = file.BytesRead()
			return send(ctx, to, c)
		case errors.As(err, &bad):
			row = csvfile.Row{Line: bad.Line, Text: bad.Reason}
		case err != nil:
			return fmt.Errorf("read the file: %w", err)
		}
		if n < done {
			continue
		}
		c.size += len(row.Text)
		if row.Fields != nil {
			row.Text = ""
		}
		if c.rows = append(c.rows, row); int64(len(c.rows)) == s.sizes.rows || c.size >= chunkBytes {
			c.bytes = file.BytesRead()
			if err := send(ctx, to, c); err != nil {
				return err
			}
			c = &chunk{first: c.first + int64(len(c.rows)), rows: make([]csvfile.Row, 0, s.sizes.rows)}
		}
	}
}

func writeLines(out *bytes.Buffer, runID int64, in *Input, reader *customers.MergeReader, rows []csvfile.Row, first int64) {
	var line []byte
	for i := range rows {
		row, reject := customers.MergeRow{}, rows[i].Text
		if rows[i].Fields != nil {
			row, reject = reader.Read(rows[i].Fields)
		}
		line = copyLine(line[:0], runID, first+int64(i), in, rows[i].Line, &row, reject)
		out.Write(line)
	}
}

// storeChunk copies a chunk's records in and stores how far the input is.
func (s *Service) storeChunk(ctx context.Context, run *Run, in *Input, c *chunk) error {
	rows, done := in.Rows, in.BytesDone
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Conn().PgConn().CopyFrom(ctx, io.MultiReader(&c.lines[0], &c.lines[1]),
			`COPY merge_records (run_id, record_no, input_no, line, fields, verdict, reason, lists) FROM STDIN`); err != nil {
			return err
		}
		in.Rows, in.BytesDone = rows+int64(len(c.rows)), min(c.bytes, in.FileSize)
		if err := run.room(); err != nil {
			return err
		}
		return s.loadedTx(ctx, tx, run, in, false)
	})
	if err != nil {
		in.Rows, in.BytesDone = rows, done
	}
	return err
}
