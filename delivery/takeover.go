package delivery

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// takeOver settles what earlier attempts of the job left in sending, as far as their journals tell: handed over and
// answered, in doubt, or not handed over at all. It fails with errAlive while an earlier attempt may still be at work.
func (s *Service) takeOver(ctx context.Context, b batch, ids []int64, jobID int64, attempt int) error {
	left, err := s.leftInSending(ctx, b, ids, jobID, attempt)
	if err != nil {
		return err
	}
	for earlier, customers := range left {
		if err := s.inherit(ctx, b, jobID, earlier, customers); err != nil {
			return err
		}
	}
	dropDead(s.config.DataDir, jobID, attempt)
	return nil
}

// inherit settles what one attempt of a job has left behind. It fails with errAlive while that may still be at work.
func (s *Service) inherit(ctx context.Context, b batch, jobID int64, attempt int, customers []int64) error {
	fates, known, err := readHandover(s.config.DataDir, jobID, attempt)
	if err != nil {
		return err
	}
	lost, back := 0, 0
	results := make([]result, len(customers))
	var hard []outcome
	for i, c := range customers {
		switch results[i] = inherited(c, fates[c], known); results[i].State {
		case "unconfirmed":
			lost++
		case "planned":
			back++
		case "failed":
			if fates[c] == fateHard {
				hard = append(hard, outcome{result: results[i], hard: true})
			}
		}
	}
	var taken *time.Time // when the dead one took them from its day's volume
	if back > 0 {
		if err := s.pool.QueryRow(ctx, `SELECT min(updated_at) FROM touches WHERE customer_id = ANY(@ids) AND campaign_id + 0 = @campaign AND step_id + 0 = @step AND provider_ref = @claim`,
			pgx.NamedArgs{"ids": customers, "campaign": b.CampaignID, "step": b.StepID, "claim": claimName(jobID, attempt)}).Scan(&taken); err != nil {
			return err
		}
	}
	if err := s.settle(ctx, b, claimName(jobID, attempt), results); err != nil {
		return err
	}
	for i := range hard {
		err := s.pool.QueryRow(ctx, `SELECT coalesce(destination, '') FROM touches WHERE customer_id = @customer AND campaign_id = @campaign AND step_id = @step`,
			pgx.NamedArgs{"customer": hard[i].CustomerID, "campaign": b.CampaignID, "step": b.StepID}).Scan(&hard[i].to)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
	}
	s.hardBounces(ctx, b, hard)
	dropHandover(s.config.DataDir, jobID, attempt)
	if taken != nil {
		s.giveBack(ctx, b, back, *taken)
	}
	if lost > 0 {
		s.log.Warn("touches are unconfirmed after a crash", "campaign", b.Code, "step", b.StepKey, "touches", lost)
	}
	return nil
}

// inherited tells what became of a message that a dead process had claimed.
func inherited(customerID int64, f fate, known bool) result {
	r := result{CustomerID: customerID}
	switch {
	case !known || f == fateBegun:
		r.State, r.Reason = "unconfirmed", "the program stopped between handing the message over and writing that down"
	case f == fateSent:
		r.State = "sent"
	case f == fateHard:
		r.State, r.Reason = "failed", "the address does not exist; the program stopped before it had written down what the mail server said"
	case f == fateFailed:
		r.State, r.Reason = "failed", "refused; the program stopped before it had written down why"
	default:
		r.State = "planned"
	}
	return r
}

// leftInSending gives the customers whose touches earlier attempts of the same job left in sending, by attempt.
func (s *Service) leftInSending(ctx context.Context, b batch, ids []int64, jobID int64, attempt int) (map[int][]int64, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT customer_id, provider_ref FROM touches
		WHERE customer_id = ANY(@ids) AND campaign_id + 0 = @campaign AND step_id + 0 = @step AND state || '' = 'sending'
			AND provider_ref LIKE @job AND provider_ref <> @claim ORDER BY customer_id`, pgx.NamedArgs{
		"campaign": b.CampaignID, "step": b.StepID, "ids": ids, "job": fmt.Sprintf("job:%d:%%", jobID), "claim": claimName(jobID, attempt),
	})
	if err != nil {
		return nil, err
	}
	left := map[int][]int64{}
	err = eachClaim(rows, func(_ int64, attempt int, customer int64) { left[attempt] = append(left[attempt], customer) })
	return left, err
}

// eachClaim reads customers with the job and the attempt that claimed them.
func eachClaim(rows pgx.Rows, found func(job int64, attempt int, customer int64)) error {
	var customer int64
	var claim string
	_, err := pgx.ForEachRow(rows, []any{&customer, &claim}, func() error {
		name, number, _ := strings.Cut(strings.TrimPrefix(claim, "job:"), ":")
		job, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			return err
		}
		attempt, err := strconv.Atoi(number)
		found(job, attempt, customer)
		return err
	})
	return err
}

// adopt settles what jobs left in sending that are no more: a job that was taken over while it claimed, or that somebody has
// deleted. Those that an attempt may still be at are left alone.
func (s *Service) adopt(ctx context.Context, b batch) error {
	rows, err := s.pool.Query(ctx, `
		SELECT t.customer_id, t.provider_ref FROM touches t
		WHERE t.campaign_id = @campaign AND t.step_id = @step AND t.state = 'sending' AND t.provider_ref LIKE 'job:%'
			AND NOT EXISTS (SELECT 1 FROM river_job j WHERE j.id = split_part(t.provider_ref, ':', 2)::bigint
				AND j.state IN ('available', 'pending', 'running', 'retryable', 'scheduled'))
		ORDER BY t.customer_id`, pgx.NamedArgs{"campaign": b.CampaignID, "step": b.StepID})
	if err != nil {
		return err
	}
	type claim struct {
		job     int64
		attempt int
	}
	left := map[claim][]int64{}
	if err := eachClaim(rows, func(job int64, attempt int, customer int64) {
		left[claim{job, attempt}] = append(left[claim{job, attempt}], customer)
	}); err != nil {
		return err
	}
	for c, customers := range left {
		if err := s.inherit(ctx, b, c.job, c.attempt, customers); err != nil && !errors.Is(err, errAlive) {
			return err
		}
	}
	return nil
}
