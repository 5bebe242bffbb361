package customers

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/id"
	"aldine/internal/queue"
	"aldine/internal/tally"
)

// ErasedArgs tells that a customer's identity is gone, so that what was about to be sent is left out and its money set free.
// The worker is in package delivery.
type ErasedArgs struct {
	CustomerID ID `json:"customer_id"`
}

// Kind names the job.
func (ErasedArgs) Kind() string { return "customer_erased" }

// InsertOpts names the queue.
func (ErasedArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Journeys} }

// Erase removes a customer's identity for good: the customer, look-ups, memberships, consents and events go, and what touches, calls,
// responses, merges, pairs of duplicates, merge/purge records, rejected rows and the sandbox hold of address, number or
// words is blanked. Orders, touches and responses stay under the bare number, so that totals do not change. What was
// planned is left out: the walks end here, the touches with the job ErasedArgs. Keyed hashes stay, by which the person is
// recognised and not taken in again; entries of the suppression list that name the person are hashed likewise. Others of
// the household stay as they are. The number of a merged customer stands for the one that is left. NotFound where there is
// no customer.
func (s *Service) Erase(ctx context.Context, customerID ID) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		erased, err := s.eraseTx(ctx, tx, customerID)
		if err == nil && !erased {
			return fault.New(fault.NotFound, "There is no customer %d", customerID)
		}
		return err
	})
}

// erasure is one person on the way out.
type erasure struct {
	id     ID
	known  []Fields // what the person is and was known by: also as the customers merged into this one
	hasher *identityHasher
	args   pgx.NamedArgs
}

func (s *Service) eraseTx(ctx context.Context, tx pgx.Tx, customerID ID) (bool, error) {
	rows, err := tx.Query(ctx, `
		SELECT c.customer_id FROM customers c
		WHERE c.customer_id = coalesce((SELECT a.customer_id FROM customer_aliases a WHERE a.old_id = @id), @id) FOR UPDATE`, pgx.NamedArgs{"id": customerID})
	if err != nil {
		return false, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil || len(found) == 0 {
		return false, err
	}
	e := &erasure{id: found[0]}
	if e.hasher, err = s.identityHasher(ctx); err != nil {
		return false, err
	}
	now := s.now()
	if err := e.gatherTx(ctx, tx); err != nil {
		return false, err
	}
	e.args["now"] = now
	var hashes []identityHash
	for i := range e.known {
		f := &e.known[i]
		var shared bool // with somebody who stays
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM customer_emails WHERE email = @email AND customer_id <> ALL(@ids))`,
			pgx.NamedArgs{"email": strings.ToLower(f.Email), "ids": e.args["ids"]}).Scan(&shared); err != nil {
			return false, err
		}
		for _, h := range e.hasher.of(f) {
			if !h.alone || !shared {
				hashes = append(hashes, h)
			}
		}
	}
	if err := keepErasedTx(ctx, tx, hashes, id.New(), now); err != nil {
		return false, err
	}
	if err := e.hideSuppressionsTx(ctx, tx); err != nil {
		return false, err
	}
	if err := s.LeaveHouseholdTx(ctx, tx, e.id); err != nil {
		return false, err
	}
	if err := tally.MarkCustomersTx(ctx, tx, now, e.args["ids"].([]ID)...); err != nil {
		return false, err
	}
	for _, sql := range eraseSQL {
		if _, err := tx.Exec(ctx, sql, e.args); err != nil {
			return false, err
		}
	}
	if err := HoldHitsTx(ctx, tx); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, blankResponsesSQL, e.args); err != nil {
		return false, err
	}
	if _, err := s.jobs.InsertTx(ctx, tx, ErasedArgs{CustomerID: e.id}, nil); err != nil {
		return false, err
	}
	return true, audit.RecordTx(ctx, tx, now, "customer.erase", "customer", e.id, nil)
}

// gatherTx finds out all that the person is known by.
func (e *erasure) gatherTx(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		WITH mine AS (SELECT @id::bigint AS id UNION SELECT old_id FROM customer_aliases WHERE customer_id = @id)
		SELECT to_jsonb(c), NULL::bigint FROM customers c WHERE c.customer_id = @id
		UNION ALL SELECT m.before -> 'survivor', NULL FROM customer_merges m JOIN mine ON mine.id = m.customer_id
		UNION ALL SELECT m.before -> 'old', m.old_id FROM customer_merges m JOIN mine ON mine.id = m.customer_id AND m.undone_at IS NULL`,
		pgx.NamedArgs{"id": e.id})
	if err != nil {
		return err
	}
	ids := []ID{e.id}
	var externals, emails, phones, words, patterns, names []string
	postcodes := []string{""}
	var raw []byte
	var old *ID
	if _, err := pgx.ForEachRow(rows, []any{&raw, &old}, func() error {
		if old != nil {
			ids = append(ids, *old)
		}
		var f Fields
		_ = json.Unmarshal(raw, &f) // what cannot be read names nobody
		if f == (Fields{}) {
			return nil
		}
		e.known = append(e.known, f)
		email := strings.ToLower(f.Email)
		externals, emails, phones = append(externals, f.ExternalID), append(emails, email), append(phones, f.Phone)
		if postcodes = append(postcodes, strings.ToLower(strings.ReplaceAll(f.PostalCode, " ", ""))); f.FirstName != "" && f.LastName != "" {
			names = append(names, strings.ToLower(f.FirstName+" "+f.LastName))
		}
		for _, w := range []string{f.FirstName, f.LastName, f.Company, email, f.Phone, f.ExternalID} {
			if len(w) > 2 {
				words = append(words, strings.ToLower(w))
			}
		}
		for _, p := range [][]string{{email}, {strings.TrimPrefix(f.Phone, "+")}, {f.FirstName, f.LastName}, {f.LastName, f.FirstName}} {
			if slices.Contains(p, "") {
				continue
			}
			pattern := "%"
			for _, part := range p {
				pattern += like(part)
			}
			patterns = append(patterns, pattern)
		}
		return nil
	}); err != nil {
		return err
	}
	slices.Sort(patterns)
	e.args = pgx.NamedArgs{"id": e.id, "ids": ids, "externals": filled(externals), "emails": filled(emails), "phones": filled(phones),
		"words": filled(words), "patterns": filled(patterns), "names": filled(names), "postcodes": postcodes}
	return nil
}

// filled gives the texts that are not empty, each once; never nil.
func filled(texts []string) []string {
	slices.Sort(texts)
	out := slices.DeleteFunc(slices.Compact(texts), func(s string) bool { return s == "" })
	if out == nil {
		return []string{}
	}
	return out
}

// mergesBlankSQL takes from merges what they know of people.
const mergesBlankSQL = `UPDATE customer_merges SET before = '{}', fields = CASE jsonb_typeof(fields) WHEN 'array' THEN '[]' ELSE '{}' END::jsonb
	WHERE customer_id = ANY (@ids) OR old_id = ANY (@ids)`

// mailsGoneSQL deletes mails that came from people or are about them.
const mailsGoneSQL = `DELETE FROM inbound_raw WHERE addresses && @emails
	OR response_ids && ARRAY (SELECT response_id FROM responses WHERE customer_id = ANY (@ids) AND kind IN ('bounce', 'complaint', 'reply'))`

// What people did elsewhere is told of nobody but them, so it goes as a whole: no total counts it.
const (
	eventsGoneSQL    = `DELETE FROM events WHERE customer_id = ANY (@ids)`
	eventRefsGoneSQL = `DELETE FROM event_refs WHERE customer_id = ANY (@ids)`
)

// eraseSQL is done in order; the parameters are those of gatherTx.
var eraseSQL = []string{
	`DELETE FROM customers WHERE customer_id = @id`,
	`DELETE FROM customer_external_ids WHERE external_id = ANY (@externals) AND customer_id = ANY (@ids)`,
	`DELETE FROM customer_emails WHERE email = ANY (@emails) AND customer_id = ANY (@ids)`,
	`DELETE FROM customer_phones WHERE phone = ANY (@phones) AND customer_id = ANY (@ids)`,
	`DELETE FROM customer_identities WHERE customer_id = ANY (@ids)`,
	`DELETE FROM list_members WHERE customer_id = ANY (@ids)`,
	`DELETE FROM consents WHERE customer_id = ANY (@ids)`,
	eventsGoneSQL,
	eventRefsGoneSQL,
	`DELETE FROM event_names n WHERE name ILIKE ANY (@patterns) AND NOT EXISTS (SELECT 1 FROM events e WHERE e.name = n.name)`, // whoever named events after people
	`UPDATE enrollments SET state = 'left', reason = 'deleted', step_id = NULL, due_at = NULL, updated_at = @now
		WHERE customer_id = ANY (@ids) AND state = 'active'`,
	// Mail servers say of whom they speak.
	`UPDATE touches SET destination = NULL, reason = CASE WHEN state <> 'excluded' AND reason ILIKE ANY (@patterns) THEN 'erased' ELSE reason END
		WHERE customer_id = ANY (@ids) AND (destination IS NOT NULL OR reason IS NOT NULL)`,
	`UPDATE calls SET phone = '', note = '', updated_at = @now,
		state = CASE WHEN state = 'done' THEN state ELSE 'withdrawn' END WHERE customer_id = ANY (@ids)`,
	`UPDATE call_attempts SET note = '' WHERE customer_id = ANY (@ids) AND note <> ''`,
	mailsGoneSQL,
	`DELETE FROM duplicates WHERE (customer_id = ANY (@ids) OR other_id = ANY (@ids)) AND state = 'open'`,
	`UPDATE duplicates SET evidence = '[]', conflict = NULL WHERE customer_id = ANY (@ids) OR other_id = ANY (@ids)`,
	mergesBlankSQL,
	// What follows is not kept by customer: read through once. Merges of others keep the pairs that were moved.
	`UPDATE customer_merges SET before = jsonb_set(before, '{kept,duplicates}', (SELECT coalesce(jsonb_agg(p ORDER BY n), '[]')
			FROM jsonb_array_elements(before #> '{kept,duplicates}') WITH ORDINALITY AS t (p, n)
			WHERE (p ->> 'customer_id')::bigint <> ALL (@ids) AND (p ->> 'other_id')::bigint <> ALL (@ids)))
		WHERE EXISTS (SELECT 1 FROM jsonb_path_query(before, '$.kept.duplicates[*]') p
			WHERE (p ->> 'customer_id')::bigint = ANY (@ids) OR (p ->> 'other_id')::bigint = ANY (@ids))`,
	`DELETE FROM sandbox_messages WHERE lower(recipient) = ANY (@emails) OR recipient = ANY (@phones)`,
	`UPDATE merge_records SET fields = NULL, reason = CASE verdict WHEN 'rejected' THEN 'the row is erased' ELSE reason END
		WHERE fields IS NOT NULL AND (customer_id = ANY (@ids) OR lower(fields ->> 'email') = ANY (@emails) OR fields ->> 'phone' = ANY (@phones)
				OR lower(fields ->> 'first_name' || ' ' || (fields ->> 'last_name')) = ANY (@names)
					AND lower(replace(coalesce(fields ->> 'postal_code', ''), ' ', '')) = ANY (@postcodes)) -- a namesake elsewhere stays: who is blanked is not mailed
			OR verdict = 'rejected' AND reason ILIKE ANY (@patterns)`,
	`UPDATE import_rejects SET row_text = '', reason = 'the row is erased' WHERE row_text ILIKE ANY (@patterns) OR reason ILIKE ANY (@patterns)`,
	`UPDATE imports SET report = ` + reportWithoutExamples + ` WHERE report ->> 'rejected' ILIKE ANY (@patterns)`,
	`UPDATE unmatched_responses SET payload = '{}' WHERE payload::text ILIKE ANY (@patterns)`,
	`DELETE FROM idempotency_keys WHERE encode(body, 'escape') ILIKE ANY (@patterns)`,
}

// blankResponsesSQL comes last, after HoldHitsTx: what lies in the journal of hits is blanked when it is stored.
const blankResponsesSQL = `UPDATE responses SET detail = '{}' WHERE customer_id = ANY (@ids) AND detail <> '{}'`

// hideSuppressionsTx replaces e-mails and phones of the suppression list that nobody else has by their hashes, and
// reasons that name the person.
func (e *erasure) hideSuppressionsTx(ctx context.Context, tx pgx.Tx) error {
	var scopes, clear, hashed []string
	for _, x := range []struct{ scope, values string }{{ScopeEmail, "emails"}, {ScopePhone, "phones"}} {
		for _, value := range e.args[x.values].([]string) {
			scopes, clear, hashed = append(scopes, x.scope), append(clear, value), append(hashed, e.hasher.suppressionKey(x.scope, value))
		}
	}
	args := pgx.NamedArgs{"scopes": scopes, "clear": clear, "hashed": hashed, "ids": e.args["ids"], "words": e.args["words"]}
	const mine = `
		WITH mine AS (
			SELECT s.scope, s.match_key, s.channel, t.hashed FROM unnest(@scopes::text[], @clear::text[], @hashed::text[]) AS t (scope, clear, hashed)
			JOIN suppressions s ON s.scope = t.scope AND s.match_key = t.clear
			WHERE NOT EXISTS (SELECT 1 FROM customer_emails o WHERE t.scope = 'email' AND o.email = t.clear AND o.customer_id <> ALL (@ids))
				AND NOT EXISTS (SELECT 1 FROM customer_phones o WHERE t.scope = 'phone' AND o.phone = t.clear AND o.customer_id <> ALL (@ids))
		)`
	for _, sql := range []string{
		// Of somebody who was erased before and had the same.
		mine + ` DELETE FROM suppressions s USING mine m WHERE s.scope = m.scope AND s.match_key = m.hashed AND s.channel = m.channel`,
		// Before the keys change, while the entries can be found.
		`UPDATE suppressions s SET reason = 'asked not to be contacted', source = CASE WHEN w.source THEN '' ELSE s.source END
			FROM (SELECT s.scope, s.match_key, s.channel, bool_or(strpos(lower(s.source), w) > 0) AS source
				FROM suppressions s CROSS JOIN unnest(@words::text[]) w
				WHERE (s.scope IN ('email', 'phone') AND s.match_key = ANY (@clear) OR s.scope = 'customer' AND s.match_key = ANY (@ids::bigint[]::text[]))
					AND (strpos(lower(s.reason), w) > 0 OR strpos(lower(s.source), w) > 0)
				GROUP BY s.scope, s.match_key, s.channel) w
			WHERE s.scope = w.scope AND s.match_key = w.match_key AND s.channel = w.channel`,
		mine + ` UPDATE suppressions s SET match_key = m.hashed, value = '' FROM mine m
			WHERE s.scope = m.scope AND s.match_key = m.match_key AND s.channel = m.channel`,
	} {
		if _, err := tx.Exec(ctx, sql, args); err != nil {
			return err
		}
	}
	return nil
}
