package inbound_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"aldine/delivery/inbound"
	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/internal/settings"
)

func (w *world) response(sql string) uuid.UUID {
	w.t.Helper()
	id, err := uuid.Parse(w.text(sql))
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func TestMailsAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	ctx := access.With(t.Context(), access.System)
	w.posted(dsn("anna@example.org", "failed", "5.1.1", gone, "Subject: <script>alert(1)</script>"), w.back(1, 13))
	k, err := w.s.Mail(ctx, w.response(`SELECT response_id FROM responses`))
	if err != nil || !strings.Contains(string(k.Body), "Diagnostic-Code: smtp; "+gone) || k.SentTo != w.back(1, 13) || k.Kind != "hard" || k.Source != "smtp" || k.Outcome != inbound.Recorded {
		t.Fatalf("%+v %v", k, err)
	}
	w.posted(dsn("pair@example.org", "failed", "5.1.1", gone, ""), "bounces@"+domain)
	if k, err = w.s.Mail(ctx, w.response(`SELECT unmatched_id FROM unmatched_responses`)); err != nil || k.Outcome != inbound.Unmatched || k.Reason != unproven {
		t.Fatalf("%+v %v", k, err)
	}
	if _, err := w.s.Mail(ctx, uuid.New()); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	// Only the beginning of a long one.
	long := "From: anna@example.org\nSubject: Hello\n\nHello" + strings.Repeat("\nA long line of a long letter", 20_000)
	w.posted(long, "news@aldine.example")
	w.want(`SELECT concat_ws(' ', bytes > 500000, octet_length(body), pg_column_size(body) < 10000) FROM inbound_raw ORDER BY bytes DESC LIMIT 1`, "t 65536 t")
	// Whoever is erased takes her mails along.
	if err := w.people.Erase(ctx, 1); err != nil {
		t.Fatal(err)
	}
	w.want(`SELECT array_to_string(addresses, ' ') FROM inbound_raw`, "bounces@"+domain+" mailer-daemon@mx.example.net pair@example.org")
	// Time goes by.
	if err := w.s.Forget(ctx); err != nil {
		t.Fatal(err)
	}
	w.want(`SELECT count(*) FROM inbound_raw`, "1")
	w.clock.Add(31 * 24 * 3600e9)
	if err := w.s.Forget(ctx); err != nil {
		t.Fatal(err)
	}
	w.want(`SELECT count(*) FROM inbound_raw`, "0")
	w.want(`SELECT count(*) FROM inbound_mails`, "3") // the hashes stay for longer
	if _, err := w.store.Update(ctx, func(v *settings.Values) error { v.MailsKeepDays = 0; return nil }); err != nil {
		t.Fatal(err)
	}
	w.posted(dsn("pair@example.org", "failed", "5.1.1", gone, "X: y"), "bounces@"+domain)
	w.want(`SELECT count(*) FROM inbound_raw`, "0")
}

func TestMailsTakeNoMoreRoomThanTheyMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	ctx := context.Background()
	if _, err := w.store.Update(access.With(ctx, access.System), func(v *settings.Values) error { v.MailsKeepMB = 1; return nil }); err != nil {
		t.Fatal(err)
	}
	w.exec(`INSERT INTO inbound_raw (mail_hash, received_at, sent_to, bytes, body, addresses, response_ids, customer_ids)
		SELECT sha256(n::text::bytea), @now::timestamptz + n * interval '1 minute', '', 65536, (SELECT string_agg(sha256((n || ' ' || i)::bytea), '') FROM generate_series(1, 2048) i), '{}', '{}', '{}'
		FROM generate_series(1, 40) n`) // 64 KB each that cannot be compressed
	w.clock.Store(start.AddDate(0, 0, -10).UnixNano())
	if err := w.s.Forget(ctx); err != nil {
		t.Fatal(err)
	}
	w.want(`SELECT count(*) BETWEEN 14 AND 16 AND min(received_at) > '2026-03-10 12:20:00Z' FROM inbound_raw`, "true")
}

// A rule that was mended is applied to what came before.
func TestMailsAreJudgedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inbound.Limits{})
	ctx := access.With(t.Context(), access.System)
	w.posted(dsn("anna@example.org", "failed", "5.1.1", gone, ""), w.back(1, 13))
	w.posted(dsn("pair@example.org", "failed", "5.2.2", "552 5.2.2 mailbox full", ""), w.back(2, 14))
	w.posted(dsn("pair@example.org", "failed", "5.1.1", gone, ""), "bounces@"+domain)
	w.posted(dsn("anna@example.org", "failed", "5.1.1", gone, "x: y"), "bounces@"+domain)
	w.resolve(2, 1) // a person has decided
	before := w.text(responses) + w.text(unmatched) + w.text(suppressions)
	again := func(apply bool) string {
		t.Helper()
		var said []string
		n, err := w.s.Again(ctx, apply, func(j inbound.Judged) error {
			said = append(said, fmt.Sprintf("%s %s: %s %s %v", j.KindBefore, j.OutcomeBefore, j.Kind, j.Outcome, j.Applied))
			return nil
		})
		if err != nil || n != 4 {
			t.Fatal(n, err)
		}
		return strings.Join(said, ", ")
	}
	if said := again(true); said != "" {
		t.Errorf("the same rules say otherwise: %s", said)
	}
	if after := w.text(responses) + w.text(unmatched) + w.text(suppressions); after != before {
		t.Errorf("something has changed:\n%s\n%s", before, after)
	}
	// As if an earlier version had taken the hard one for a soft one.
	w.exec(`UPDATE inbound_mails SET kind = 'soft' WHERE step_id = 13 AND outcome = 'recorded'`)
	w.exec(`UPDATE touches SET state = 'sent' WHERE state = 'bounced'`)
	w.exec(`DELETE FROM suppressions`)
	if said := again(false); said != "soft recorded: hard recorded false" {
		t.Errorf("tried: %s", said)
	}
	w.want(suppressions, "")
	for range 2 {
		again(true)
		w.want(suppressions, "email anna@example.org email hard bounce: 550 5.1.1 User unknown")
		w.want(bounced, "1/13")
		w.want(`SELECT concat_ws(' ', kind, customer_id, step_id) FROM responses WHERE method = 'token' ORDER BY customer_id`, "bounce 1 13, bounce 2 14")
	}
}
