package mergepurge

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// storeVerdicts decides all groups and stores what became of their records, in the order of records. Records alone are
// net from the beginning.
func (s *Service) storeVerdicts(ctx context.Context, b *board, review int64, step func(int64) error) error {
	type verdict struct {
		what    uint8 // index of words
		reason  int32
		winner  int32
		lists   int32
		decided bool
	}
	words := [...]string{"", Net, Suppressed, Duplicate}
	place := map[string]uint8{Net: 1, Suppressed: 2, Duplicate: 3}
	verdicts := make([]verdict, b.n)
	rules := b.rules()
	var members []member
	var out []decision
	if err := b.groups(func(group []int32) error {
		members, out = members[:0], out[:0]
		for _, record := range group {
			members = append(members, b.member(record))
			out = append(out, decision{})
		}
		rules.allocate(members, out)
		for i, d := range out {
			reason := d.hit
			if d.reason != "" {
				reason = b.reason(d.reason)
			}
			verdicts[members[i].record] = verdict{place[d.verdict], reason, d.winner, int32(d.lists), true}
		}
		return ctx.Err()
	}); err != nil {
		return err
	}
	slice := int32(s.sizes.records)
	for from := int32(0); from < b.n; from += slice {
		to := min(from+slice, b.n)
		u := update{run: b.run.ID, from: int64(from) + 1, to: int64(to)}
		for i := from; i < to; i++ {
			v := verdicts[i]
			if !v.decided {
				continue
			}
			u.add(int64(i)+1, words[v.what], b.reasons[v.reason], int64(v.winner)+1, int64(root(b.group, i))+1, v.lists)
		}
		if err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return u.storeTx(ctx, tx) }); err != nil {
			return err
		}
		if err := step(int64(to - from)); err != nil {
			return err
		}
	}
	_, err := s.pool.Exec(ctx, `UPDATE merge_runs SET phase = 'reporting', report = jsonb_build_object('review_pairs', @review::bigint) WHERE run_id = @run AND state = 'running'`,
		pgx.NamedArgs{"run": b.run.ID, "review": review})
	b.run.Phase, b.run.Report = Reporting, &Report{ReviewPairs: review}
	return err
}

// reason gives the number of a reason.
func (b *board) reason(text string) int32 {
	id, known := b.ids[text]
	if !known {
		id = int32(len(b.reasons))
		b.reasons = append(b.reasons, text)
		b.ids[text] = id
	}
	return id
}

// update is the verdicts on some records in a row.
type update struct {
	run, from, to          int64
	nos, winners, clusters []int64
	verdicts, reasons      []string
	lists                  []int32
}

func (u *update) add(no int64, verdict, reason string, winner, cluster int64, lists int32) {
	u.nos, u.winners, u.clusters = append(u.nos, no), append(u.winners, winner), append(u.clusters, cluster)
	u.verdicts, u.reasons, u.lists = append(u.verdicts, verdict), append(u.reasons, reason), append(u.lists, lists)
}

// storeTx stores the verdicts, and takes back those that an earlier attempt has left on other records.
func (u *update) storeTx(ctx context.Context, tx pgx.Tx) error {
	args := pgx.NamedArgs{"run": u.run, "from": u.from, "to": u.to, "nos": u.nos, "verdicts": u.verdicts, "reasons": u.reasons, "winners": u.winners,
		"clusters": u.clusters, "lists": u.lists}
	if _, err := tx.Exec(ctx, `
		UPDATE merge_records m SET verdict = CASE WHEN m.verdict IS NOT NULL THEN 'net' END, reason = NULL, winner_no = NULL, cluster_no = NULL,
			lists = CASE WHEN m.verdict IS NOT NULL AND m.customer_id IS NULL THEN 1 ELSE 0 END
		WHERE m.run_id = @run AND m.record_no BETWEEN @from AND @to AND m.verdict IS DISTINCT FROM 'rejected'
			AND (m.cluster_no IS NOT NULL OR m.verdict = 'suppressed') AND m.record_no <> ALL (@nos::bigint[])`, args); err != nil {
		return err
	}
	if len(u.nos) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		UPDATE merge_records m SET verdict = nullif(t.verdict, ''), reason = nullif(t.reason, ''), winner_no = nullif(t.winner, 0),
			cluster_no = nullif(t.cluster, 0), lists = t.lists
		FROM unnest(@nos::bigint[], @verdicts::text[], @reasons::text[], @winners::bigint[], @clusters::bigint[], @lists::integer[])
			AS t (no, verdict, reason, winner, cluster, lists)
		WHERE m.run_id = @run AND m.record_no BETWEEN @from AND @to AND m.record_no = t.no`, args)
	return err
}
