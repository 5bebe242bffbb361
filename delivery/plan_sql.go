package delivery

import (
	"fmt"

	"aldine/customers"
)

// level is one at which a step keeps touches apart.
type level struct {
	key    string // of customers c: who share it get one piece; null: nobody else has it
	column string // of customers, by which the members of a group are found wherever they stand; "" where groups need not wait
	reason string // why the others get none
}

// Who belongs to no group of a level is still one person.
const orPerson = `, 'c:' || c.person_id)`

var levels = map[string]level{
	"customer":  {key: `NULL::text`, reason: "duplicate"}, // the touch's own key does it
	"person":    {key: `'c:' || c.person_id`, reason: "duplicate"},
	"email":     {key: `'e:' || lower(c.email)`, reason: "duplicate"},
	"phone":     {key: `'p:' || c.phone`, reason: "duplicate"},
	"household": {key: `coalesce('h:' || c.household_id` + orPerson, column: "household_id", reason: "household"},
	"address":   {key: `coalesce('a:' || coalesce(c.residence_id, c.address_hash)` + orPerson, column: "residence_id", reason: "address"},
	"company":   {key: `coalesce('f:' || c.company_id` + orPerson, column: "company_id", reason: "company"},
}

func levelOf(dedup string) level {
	if l, ok := levels[dedup]; ok {
		return l
	}
	return levels["person"]
}

// destination tells where a touch over the channel goes, and whether it can, from customers c.
func destination(channel string) (value, reachable string) {
	switch channel {
	case "email":
		return `nullif(c.email, '')`, `coalesce(c.email, '') <> ''`
	case "post":
		return `NULL::text`, `c.address_hash IS NOT NULL`
	}
	return `nullif(c.phone, '')`, `coalesce(c.phone, '') <> ''`
}

// standing picks the enrollments e that a step has to plan for.
const standing = `e.campaign_id = @campaign AND e.step_id = @step AND e.state = 'active' AND e.due_at <= @now`

// matesSQL finds the members of the slice's groups who stand at the step in other slices. The groups' keys are gathered first
// and then looked up, each once; no plan reads more than that, whatever the statistics say.
func matesSQL(column string) string {
	return fmt.Sprintf(`
	SELECT c.customer_id
	FROM customers c
	CROSS JOIN LATERAL (SELECT FROM enrollments e
		WHERE e.customer_id = c.customer_id AND %[2]s OFFSET 0) e
	WHERE c.%[1]s = ANY (ARRAY(
			SELECT DISTINCT c.%[1]s FROM enrollments e JOIN customers c ON c.customer_id = e.customer_id
			WHERE %[2]s AND e.customer_id BETWEEN @first AND @last AND c.%[1]s IS NOT NULL))
		AND c.customer_id NOT BETWEEN @first AND @last
	ORDER BY c.customer_id`, column, standing)
}

// planSQL decides about everybody who stands at a step in the slice, and about their groups' members elsewhere (@mates). The
// first reason that holds is kept. Of those who share a key the holder of an earlier plan stays; else the best who can be
// contacted gets the piece: the one who spent most, then who bought last, then the lowest number.
func planSQL(channel string, l level, consentRequired, capped bool) string {
	dest, reachable := destination(channel)
	register, registered := "", "false"
	if channel == "calls" || channel == "sms" {
		register, registered = `LEFT JOIN `+customers.RegisterJoin("c", channel)+` reg ON true`, "reg.reason IS NOT NULL"
	}
	reason, ref := "NULL", "NULL"
	if register != "" {
		reason, ref = "reg.reason", "reg.reason_ref"
	}
	often := "false"
	if capped { // what is about to be sent counts like what was sent
		often = `(SELECT count(*) FROM touches h WHERE h.customer_id = c.customer_id AND h.channel = @channel
			AND (h.state = 'sent' AND h.sent_at > @capped_since::timestamptz OR h.state || '' IN ('planned', 'sending', 'unconfirmed'))) >= @cap::bigint` // see touch.go of the expressions
	}
	return `
	WITH members AS (
		SELECT e.customer_id, e.cell_id, e.list_id FROM enrollments e
		WHERE ` + standing + ` AND e.customer_id BETWEEN @first AND @last
		UNION ALL
		SELECT e.customer_id, e.cell_id, e.list_id FROM enrollments e
		WHERE ` + standing + ` AND e.customer_id = ANY (@mates::bigint[])
	), candidates AS MATERIALIZED (
		SELECT e.customer_id, e.cell_id, e.list_id, ` + dest + ` AS destination, ` + l.key + ` AS dedup_key, c.total_spent, c.last_order_at,
			x.suppression_id::text AS suppression, ` + ref + `::text AS register, 'list:' || l.list_id || ' ' || l.name AS licence,
			CASE WHEN cell.is_control THEN 'control'
				WHEN c.customer_id IS NULL THEN 'deleted'
				WHEN NOT (` + reachable + `) THEN 'no_address'
				WHEN x.suppression_id IS NOT NULL THEN 'suppressed'
				WHEN NOT (` + customers.ConsentSQL("c", channel, consentRequired) + `) THEN 'no_consent'
				WHEN ` + customers.LicenceOver("c", "l") + ` THEN 'licence'
				WHEN ` + registered + ` THEN ` + reason + `
				WHEN ` + often + ` THEN 'frequency_cap'
			END AS reason
		FROM members e
		JOIN cells cell ON cell.cell_id = e.cell_id
		LEFT JOIN customers c ON c.customer_id = e.customer_id
		LEFT JOIN lists l ON l.list_id = e.list_id AND l.kind = 'rented'
		LEFT JOIN ` + customers.SuppressionJoin("c", channel) + ` x ON true
		` + register + `
		WHERE NOT EXISTS (SELECT 1 FROM touches t
			WHERE t.customer_id = e.customer_id AND t.campaign_id + 0 = @campaign AND t.step_id + 0 = @step)
	), held AS (
		SELECT c.*, coalesce(k.customer_id, first_value(CASE WHEN c.reason IS NULL THEN c.customer_id END) OVER (PARTITION BY c.dedup_key
			ORDER BY c.reason IS NULL DESC, c.total_spent DESC NULLS LAST, c.last_order_at DESC NULLS LAST, c.customer_id)) AS holder
		FROM candidates c
		LEFT JOIN LATERAL (SELECT k.customer_id FROM touch_keys k
			WHERE k.campaign_id = @campaign AND k.step_id = @step AND k.dedup_key = c.dedup_key LIMIT 1) k ON true
	), apart AS (
		SELECT customer_id, cell_id, list_id, destination, dedup_key,
			CASE WHEN reason IS NOT NULL THEN reason WHEN dedup_key IS NULL OR holder = customer_id THEN NULL
				WHEN dedup_key LIKE 'c:%' THEN 'duplicate' ELSE @duplicate::text END AS reason,
			CASE WHEN reason = 'suppressed' AND suppression IS NOT NULL THEN suppression
				WHEN reason = 'licence' THEN licence
				WHEN reason IS NOT NULL AND reason NOT IN ('control', 'deleted', 'no_address', 'no_consent', 'frequency_cap') THEN register
				WHEN reason IS NULL AND dedup_key IS NOT NULL AND holder <> customer_id THEN holder::text END AS reason_ref
		FROM held
	), placed AS (
		SELECT a.*, row_number() OVER (PARTITION BY reason IS NULL ORDER BY customer_id) AS place FROM apart a
	), decided AS (
		SELECT customer_id, cell_id, list_id, destination, dedup_key, reason_ref,
			CASE WHEN reason IS NULL AND place > @affordable::bigint THEN 'budget' ELSE reason END AS reason
		FROM placed
	), keyed AS (
		INSERT INTO touch_keys (campaign_id, step_id, dedup_key, customer_id)
		SELECT @campaign, @step, dedup_key, customer_id FROM decided WHERE reason IS NULL AND dedup_key IS NOT NULL
		ON CONFLICT (campaign_id, step_id, dedup_key) DO NOTHING
	), inserted AS (
		INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, list_id, state, reason, reason_ref, destination,
			keycode, unit_cost, planned_at, updated_at)
		SELECT d.customer_id, @campaign, @step, @channel, d.cell_id, d.list_id,
			CASE WHEN d.reason IS NULL THEN 'planned' ELSE 'excluded' END, d.reason, d.reason_ref,
			CASE WHEN d.reason IS NULL THEN d.destination END, k.keycode, @unit_cost, @now, @now
		FROM decided d
		LEFT JOIN keycodes k ON k.campaign_id = @campaign AND k.step_id = @step AND k.cell_id = d.cell_id AND k.list_id IS NOT DISTINCT FROM d.list_id
		ORDER BY d.customer_id
		RETURNING customer_id, state
	)
	SELECT customer_id FROM inserted WHERE state = 'planned' ORDER BY customer_id`
}
