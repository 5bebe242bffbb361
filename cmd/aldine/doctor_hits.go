package main

import (
	"context"
	"fmt"
	"time"
)

// hitsLate is how long an open or click may wait in the journal before somebody should look.
const hitsLate = 5 * time.Minute

// checkHits tells whether opens and clicks that were answered are stored among the responses.
func (a *app) checkHits(ctx context.Context) finding {
	f := finding{what: "opens and clicks", state: "all that were answered are stored"}
	var aside, waiting int64
	var oldest *time.Time
	if err := a.pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE aside), count(*) FILTER (WHERE NOT aside), min(at) FILTER (WHERE NOT aside) FROM hit_journal`).Scan(&aside, &waiting, &oldest); err != nil {
		f.state, f.mend = err.Error(), "run aldine migrate"
		return f
	}
	switch {
	case aside > 0:
		f.state = fmt.Sprintf("%d rows of hit_journal were put aside, since they could not be stored", aside)
		f.mend = "read why in the server's log; once that is mended, UPDATE hit_journal SET aside = false WHERE aside"
	case oldest != nil && a.now().Sub(*oldest) > hitsLate:
		f.state = fmt.Sprintf("%d rows of hit_journal wait, the oldest since %s", waiting, oldest.UTC().Format("2006-01-02 15:04 UTC"))
		f.mend = "start a server; if one runs, its log says why it cannot store them"
	}
	return f
}
