package main

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"aldine/internal/pgtest"
)

func TestDoctorSeesHitsThatAreNotStored(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a := &app{pool: pgtest.New(t), now: time.Now, log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, c := range []struct{ sql, state, mend string }{
		{`SELECT 1`, "all that were answered are stored", ""},
		{`INSERT INTO hit_journal (journal_id, at, hits) VALUES (gen_random_uuid(), now() - interval '1 second', '')`, "all that", ""},
		{`UPDATE hit_journal SET at = now() - interval '1 hour'`, "1 rows of hit_journal wait", "start a server"},
		{`UPDATE hit_journal SET aside = true`, "1 rows of hit_journal were put aside", "SET aside = false"},
	} {
		if _, err := a.pool.Exec(ctx, c.sql); err != nil {
			t.Fatal(err)
		}
		if f := a.checkHits(ctx); !strings.Contains(f.state, c.state) || !strings.Contains(f.mend, c.mend) || (f.mend == "") != (c.mend == "") {
			t.Errorf("%s: %+v", c.sql, f)
		}
	}
}
