package campaigns

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Trouble is why pieces of a step have to wait: the relay or the gateway turns them away, or the letters cannot be written. They
// are tried again by themselves, unless the program has paused the campaign. Or it says that mails of the step came back because of the
// sender: Refused of them.
type Trouble struct {
	StepID  int64      `json:"step_id"`
	Step    string     `json:"step"`
	Channel string     `json:"channel"`
	Message string     `json:"message"`
	Again   *time.Time `json:"again"` // when the next try is due
	Refused int64      `json:"refused,omitempty" doc:"Mails that came back because their servers mistrust the sender or the text, not because of the address."`
}

// PutOff begins the error of a sending job that will be tried again; a reason that people may read follows.
const PutOff = "put off: "

// troubles reads what the queue, the print runs and returned mails say. Other errors of jobs are for the log.
func troubles(ctx context.Context, q Querier, id int64) ([]Trouble, error) {
	rows, err := q.Query(ctx, `
		WITH late AS (
			SELECT kind, args ->> 'step_id' AS step, errors[array_upper(errors, 1)] ->> 'error' AS error, scheduled_at
			FROM river_job
			WHERE state IN ('retryable', 'available', 'running') AND errors IS NOT NULL AND kind IN ('delivery_send', 'delivery_print')
				AND args ->> 'campaign_id' = @id::bigint::text
		), said AS (
			SELECT step, substr(error, length(@put_off::text) + 1) AS message, scheduled_at FROM late
			WHERE kind = 'delivery_send' AND starts_with(error, @put_off::text)
			UNION ALL
			SELECT r.step_id::text, r.error, l.scheduled_at
			FROM print_runs r LEFT JOIN late l ON l.kind = 'delivery_print' AND l.step = r.step_id::text
			WHERE r.campaign_id = @id::bigint AND r.state = 'failed' AND r.error IS NOT NULL
			UNION ALL
			SELECT pause_step_id::text, 'the program has paused the campaign, because ' || pause_reason || '. Resume it once the cause is mended', NULL
			FROM campaigns WHERE campaign_id = @id::bigint AND state = 'paused' AND pause_reason IS NOT NULL
		)
		SELECT s.step_id, s.key, coalesce(s.channel, ''), said.message, min(said.scheduled_at), 0::bigint
		FROM said JOIN steps s ON s.step_id::text = said.step
		GROUP BY s.step_id, s.key, s.channel, said.message
		UNION ALL
		SELECT s.step_id, s.key, coalesce(s.channel, ''), CASE m.cause WHEN 'policy' THEN 'the servers do not trust the sender (aldine doctor --domain says what is missing)'
				ELSE 'the servers take the text for spam' END || '; the last one said: ' || m.message, NULL, m.mails
		FROM mail_troubles m JOIN steps s ON s.step_id = m.step_id
		WHERE m.campaign_id = @id::bigint
		ORDER BY 1, 4`,
		pgx.NamedArgs{"id": id, "put_off": PutOff})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Trouble])
}
