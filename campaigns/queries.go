package campaigns

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/journey"
	"aldine/campaigns/rollup"
	"aldine/internal/fault"
	"aldine/segments"
)

// Querier is a pool or a transaction.
type Querier = journey.Querier

const selectCampaign = `
	SELECT c.campaign_id, c.code, c.name, c.objective, c.currency, c.budget, c.fixed_cost, c.margin_rate, c.segment_id,
		COALESCE((SELECT g.name FROM segments g WHERE g.segment_id = c.segment_id), ''), c.segment_version, c.expression, c.state, c.version, c.row_version,
		c.audience, c.entry_done_at, c.created_by, c.created_at, c.updated_at, c.approved_by, c.approved_at, c.launched_at, c.finished_at, c.ends_at`

func (c *Campaign) targets() []any {
	return []any{&c.ID, &c.Code, &c.Name, &c.Objective, &c.Currency, &c.Budget, &c.FixedCost, &c.MarginRate, &c.SegmentID,
		&c.SegmentName, &c.SegmentVersion, &c.Expression, &c.State, &c.Version, &c.RowVersion,
		&c.Audience, &c.EntryDoneAt, &c.CreatedBy, &c.CreatedAt, &c.UpdatedAt, &c.ApprovedBy, &c.ApprovedAt, &c.LaunchedAt, &c.FinishedAt, &c.EndsAt}
}

func load(ctx context.Context, q Querier, id int64) (Campaign, error) {
	var c Campaign
	err := q.QueryRow(ctx, selectCampaign+` FROM campaigns c WHERE c.campaign_id = @id`, pgx.NamedArgs{"id": id}).Scan(c.targets()...)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, fault.New(fault.NotFound, "There is no campaign %d", id)
	}
	return c, err
}

// Find gives the id of the campaign with a code, or with the id written as a number. Fails with NotFound.
func (s *Service) Find(ctx context.Context, codeOrID string) (int64, error) {
	number, err := strconv.ParseInt(codeOrID, 10, 64)
	if err != nil {
		number = 0
	}
	var id int64
	err = s.pool.QueryRow(ctx, `
		SELECT campaign_id FROM campaigns WHERE code = @code OR campaign_id = @number ORDER BY code = @code DESC LIMIT 1`,
		pgx.NamedArgs{"code": codeOrID, "number": number}).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, fault.New(fault.NotFound, "There is no campaign %q", codeOrID)
	}
	return id, err
}

// List gives campaigns, newest first.
func (s *Service) List(ctx context.Context, q Query) ([]Summary, error) {
	if q.Limit <= 0 || q.Limit > 500 {
		q.Limit = 50
	}
	rows, err := s.pool.Query(ctx, selectCampaign+`,
			(SELECT COALESCE(sum(j.size), 0) FROM journey_slices j WHERE j.campaign_id = c.campaign_id),
			(SELECT COALESCE(sum(e.quantity) FILTER (WHERE e.kind = 'piece'), 0) FROM cost_entries e WHERE e.campaign_id = c.campaign_id),
			(SELECT COALESCE(sum(e.amount), 0) FROM cost_entries e WHERE e.campaign_id = c.campaign_id)
		FROM campaigns c
		WHERE (@state::text = '' OR c.state = @state) AND (@before::bigint = 0 OR c.campaign_id < @before)
			AND (@search::text = '' OR strpos(lower(c.name), lower(@search)) > 0 OR strpos(c.code, lower(@search)) > 0)
		ORDER BY c.campaign_id DESC LIMIT @limit`,
		pgx.NamedArgs{"state": q.State, "before": q.Before, "search": strings.TrimSpace(q.Search), "limit": q.Limit})
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v Summary, err error) {
		return v, row.Scan(append(v.targets(), &v.Entered, &v.Sent, &v.Spent)...)
	})
	if err != nil {
		return nil, err
	}
	veiled, err := segments.Veil(ctx, s.pool, s.now())
	for i := range list {
		if err == nil {
			list[i].hide(veiled)
		}
	}
	return list, err
}

// Private stands for a condition that asks for private attributes where the actor may not see them.
const Private = "(private)"

// hide leaves out what the actor may not see.
func (c *Campaign) hide(veiled func(expression string) bool) {
	if veiled(c.Expression) {
		c.Expression, c.Hidden = "", true
	}
}

func (d *Details) hide(veiled func(expression string) bool) {
	d.Campaign.hide(veiled)
	hide := func(s *journey.StepDef) {
		if s.If != "" && veiled(journey.OwnCampaign(s.If, d.Code)) {
			s.If = Private
		}
	}
	for i := range d.Journey.Steps {
		hide(&d.Journey.Steps[i])
	}
	for i := range d.Steps {
		hide(&d.Steps[i].Config)
	}
}

// Get gives a campaign with its progress. Fails with NotFound.
func (s *Service) Get(ctx context.Context, id int64) (Details, error) {
	var d Details
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		if d, err = details(ctx, tx, id); err != nil {
			return err
		}
		if d.Waits, err = s.waits(ctx, tx, d); err != nil {
			return err
		}
		veiled, err := segments.Veil(ctx, tx, s.now())
		if err == nil {
			d.hide(veiled)
		}
		return err
	})
	return d, err
}

// details reads a campaign in one snapshot, so that its numbers agree with each other.
func details(ctx context.Context, q pgx.Tx, id int64) (d Details, err error) {
	if d.Campaign, err = load(ctx, q, id); err != nil {
		return d, err
	}
	if d.Cells, err = loadCells(ctx, q, id); err != nil {
		return d, err
	}
	args := pgx.NamedArgs{"id": id, "version": d.Version}
	d.Journey.Steps = []journey.StepDef{}
	err = q.QueryRow(ctx, `SELECT definition FROM journeys WHERE campaign_id = @id AND version = @version`, args).Scan(&d.Journey)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return d, fmt.Errorf("journey of campaign %d: %w", id, err)
	}
	kept, err := rollup.Read(ctx, q, rollup.Any, []int64{id}, rollup.State, rollup.Enrolled, rollup.CostKind, rollup.Reserved)
	if err != nil {
		return d, err
	}
	d.AsOf = kept.AsOf
	if d.Steps, err = stepCounts(ctx, q, kept, id, d.Version); err != nil {
		return d, err
	}
	d.Touches = TouchCounts{ByState: map[string]int64{}, ByReason: map[string]int64{}}
	for _, st := range d.Steps {
		for state, n := range st.Touches {
			d.Touches.ByState[state] += n
			d.Touches.Total += n
		}
		for reason, n := range st.Excluded {
			d.Touches.ByReason[reason] += n
		}
	}
	d.Enrollments = map[string]int64{}
	for _, l := range kept.Of(rollup.Enrolled) {
		_, state, _ := strings.Cut(l.Item, " ")
		d.Enrollments[state] += l.Number
	}
	if err = q.QueryRow(ctx, `SELECT COALESCE(sum(size), 0) FROM journey_slices WHERE campaign_id = @id`, args).Scan(&d.Entered); err != nil {
		return d, err
	}
	if d.Troubles, err = troubles(ctx, q, id); err != nil {
		return d, err
	}
	d.Money.Budget = d.Budget
	for _, l := range kept.Of(rollup.CostKind) {
		if d.Money.Spent, err = d.Money.Spent.Add(l.Cost); err != nil {
			return d, err
		}
	}
	for _, l := range kept.Of(rollup.Reserved) {
		d.Money.Reserved = l.Cost
	}
	return d, d.Money.left()
}

func loadCells(ctx context.Context, q Querier, id int64) ([]Cell, error) {
	rows, err := q.Query(ctx, `SELECT cell_id, name, share / 100.0, is_control FROM cells WHERE campaign_id = @id ORDER BY position`, pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Cell, err error) {
		err = row.Scan(&c.ID, &c.Name, &c.Share, &c.Control)
		c.Share = c.Share.Trim(0)
		return c, err
	})
}

// stepCounts counts touches and standing customers of all versions' steps that have any, the frozen version's in order.
func stepCounts(ctx context.Context, q Querier, kept rollup.Figures, id int64, version int) ([]StepCounts, error) {
	steps, err := journey.LoadSteps(ctx, q, id, version)
	if err != nil {
		return nil, err
	}
	out := make([]StepCounts, len(steps))
	byItem := map[string]*StepCounts{}
	for i, st := range steps {
		out[i] = StepCounts{Step: st, Touches: map[string]int64{}, Excluded: map[string]int64{}}
		byItem[fmt.Sprint(st.ID)] = &out[i]
	}
	for _, l := range kept.Of(rollup.State) { // "step state reason"
		step, rest, _ := strings.Cut(l.Item, " ")
		state, reason, _ := strings.Cut(rest, " ")
		if st := byItem[step]; st != nil {
			st.Touches[state] += l.Number
			if state == "excluded" {
				st.Excluded[reason] += l.Number
			}
		}
	}
	for _, l := range kept.Of(rollup.Enrolled) { // "step state"
		step, state, _ := strings.Cut(l.Item, " ")
		if st := byItem[step]; st != nil && state == "active" {
			st.Standing = l.Number
		}
	}
	return out, nil
}
