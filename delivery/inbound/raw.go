package inbound

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/internal/queue"
	"aldine/internal/settings"
)

// keptBytes is how much of a mail is kept: what a server reports stands first, the mail that came back last.
const keptBytes = 64 << 10

// keepRawTx keeps a mail as it came, if it is to be kept.
func (s *Service) keepRawTx(ctx context.Context, tx pgx.Tx, hash []byte, m mail, res Result, v settings.Values) error {
	if v.MailsKeepDays == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO inbound_raw (mail_hash, received_at, sent_to, bytes, body, addresses, response_ids, customer_ids)
		VALUES (@hash, @now, @to, @bytes, @body, @addresses, @made, @people)
		ON CONFLICT (mail_hash) DO UPDATE SET response_ids = excluded.response_ids, customer_ids = excluded.customer_ids`, pgx.NamedArgs{"hash": hash, "now": s.now(), "to": plain(m.to, 320), "bytes": len(m.raw),
		"body": m.raw[:min(len(m.raw), keptBytes)], "addresses": namesIn(m), "made": append([]uuid.UUID{}, res.made...), "people": append([]int64{}, res.people...)})
	return err
}

// namesIn gives the addresses of a mail by which it is found when somebody is erased.
func namesIn(m mail) []string {
	found := []string{m.to, m.From}
	for _, r := range m.Reports {
		found = append(found, r.Recipient)
	}
	found = append(found, m.To...)
	for _, a := range addressInText.FindAll(m.raw[:min(len(m.raw), keptBytes)], 200) {
		found = append(found, string(a))
	}
	for i, a := range found {
		found[i] = strings.ToLower(plain(strings.Trim(a, ".'\""), 320))
	}
	slices.Sort(found)
	return slices.DeleteFunc(slices.Compact(found), func(a string) bool { return !strings.Contains(a, "@") })
}

// Kept is a mail as it came.
type Kept struct {
	ReceivedAt time.Time
	SentTo     string
	Source     string // smtp, or the name of the token that handed it over
	Kind       string // as in Result
	Outcome    string
	Reason     string
	Bytes      int    // of the whole mail
	Body       []byte // its beginning, at most 64 KB: whatever a stranger wrote
}

// Mail gives the mail that led to a response, or to one that waits for review. NotFound where none is kept (any more).
func (s *Service) Mail(ctx context.Context, response uuid.UUID) (Kept, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT r.received_at, r.sent_to, coalesce(m.source, ''), coalesce(m.kind, ''), coalesce(m.outcome, ''), coalesce(m.reason, ''), r.bytes, r.body
		FROM inbound_raw r LEFT JOIN inbound_mails m USING (mail_hash)
		WHERE r.response_ids @> ARRAY[@id::uuid] ORDER BY r.received_at LIMIT 1`, pgx.NamedArgs{"id": response})
	if err != nil {
		return Kept{}, err
	}
	k, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Kept])
	if errors.Is(err, pgx.ErrNoRows) {
		return Kept{}, fault.New(fault.NotFound, "No mail is kept for this response. Mails are deleted after some time (Settings, Company and channels).")
	}
	return k, err
}

// ForgetArgs asks for old mails to be deleted.
type ForgetArgs struct{}

// Kind names the job.
func (ForgetArgs) Kind() string { return "inbound_forget" }

// InsertOpts puts the job on its queue; one at a time is enough.
func (ForgetArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Imports, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: forgetEvery}}
}

const forgetEvery = time.Hour

// Periodic gives the jobs that come round by themselves; the working client inserts them.
func (s *Service) Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(forgetEvery),
		func() (river.JobArgs, *river.InsertOpts) { return ForgetArgs{}, nil }, nil)}
}

// Register adds the workers of this package.
func (s *Service) Register(w *river.Workers) { river.AddWorker(w, &forgetWorker{service: s}) }

type forgetWorker struct {
	river.WorkerDefaults[ForgetArgs]
	service *Service
}

// Work deletes what is to be kept no longer.
func (w *forgetWorker) Work(ctx context.Context, _ *river.Job[ForgetArgs]) error {
	return w.service.Forget(access.With(ctx, access.System))
}

// Forget deletes mails that are older than the settings say, the oldest first where they take too much room, and the hashes of
// mails that no server will send again.
func (s *Service) Forget(ctx context.Context) error {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	args := pgx.NamedArgs{"before": s.now().AddDate(0, 0, -v.MailsKeepDays), "most": int64(v.MailsKeepMB) << 20, "hashes": s.now().Add(-max(kept, time.Duration(v.MailsKeepDays)*24*time.Hour))}
	for _, sql := range []string{
		`DELETE FROM inbound_raw WHERE received_at <= @before`,
		`DELETE FROM inbound_raw r USING (
			SELECT mail_hash, sum(pg_column_size(body)) OVER (ORDER BY received_at DESC, mail_hash) AS room FROM inbound_raw) x
			WHERE r.mail_hash = x.mail_hash AND x.room > @most`,
		`DELETE FROM inbound_mails WHERE received_at < @hashes`,
	} {
		if _, err := s.pool.Exec(ctx, sql, args); err != nil {
			return err
		}
	}
	return nil
}
