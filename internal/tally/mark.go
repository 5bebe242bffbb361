package tally

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/internal/id"
)

// Bits tells how many customers make a slice, as a power of two. What is kept goes by it: only tests change it, before all
// else, since with one customer to a slice no mark can stand in for another that was forgotten.
var Bits = 10

const perMark = 128 // slices of one mark where very many are marked at once

// sliceOf gives a customer's slice.
func sliceOf(customer int64) int64 { return customer >> Bits }

// ledgerSlice gives the slice of the ledger's entries of an hour.
func ledgerSlice(at time.Time) int64 { return -1 - at.Unix()/3600 }

// MarkTx says that touches, responses, enrollments or credited orders of customers changed in a campaign.
func MarkTx(ctx context.Context, tx pgx.Tx, campaignID int64, at time.Time, customers ...int64) error {
	marked := make([]int64, len(customers))
	for i, c := range customers {
		marked[i] = sliceOf(c)
	}
	return markTx(ctx, tx, campaignID, at, marked)
}

// MarkRangeTx is MarkTx for all who are enrolled, from first to last.
func MarkRangeTx(ctx context.Context, tx pgx.Tx, campaignID int64, at time.Time, first, last int64) error {
	var marked []int64
	if sliceOf(last)-sliceOf(first) > 8 { // few of many take part
		rows, err := tx.Query(ctx, `SELECT DISTINCT customer_id >> @bits::int FROM enrollments WHERE campaign_id + 0 = @campaign AND customer_id BETWEEN @first AND @last`,
			pgx.NamedArgs{"bits": Bits, "campaign": campaignID, "first": first, "last": last})
		if err != nil {
			return err
		}
		if marked, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
			return err
		}
	} else {
		for n := sliceOf(first); n <= sliceOf(last); n++ {
			marked = append(marked, n)
		}
	}
	return markTx(ctx, tx, campaignID, at, marked)
}

// MarkLedgerTx says that the ledger or the reservations of a campaign got entries of that time.
func MarkLedgerTx(ctx context.Context, tx pgx.Tx, campaignID int64, at time.Time) error {
	return markTx(ctx, tx, campaignID, at, []int64{ledgerSlice(at)})
}

func markTx(ctx context.Context, tx pgx.Tx, campaignID int64, at time.Time, marked []int64) error {
	slices.Sort(marked)
	for part := range slices.Chunk(slices.Compact(marked), 8*perMark) {
		if _, err := tx.Exec(ctx, `INSERT INTO rollup_marks (campaign_id, mark_id, slices, at) VALUES (@campaign, @mark, @slices, @at)`,
			pgx.NamedArgs{"campaign": campaignID, "mark": id.New(), "slices": part, "at": at}); err != nil {
			return err
		}
	}
	return nil
}

// Marks gathers customers of several campaigns. The zero value is empty.
type Marks struct{ slices map[int64][]int64 }

// Add takes in a customer of a campaign; campaign 0 is none.
func (m *Marks) Add(campaignID, customer int64) {
	if campaignID != 0 {
		m.add(campaignID, sliceOf(customer))
	}
}

func (m *Marks) add(campaignID, slice int64) {
	if m.slices == nil {
		m.slices = map[int64][]int64{}
	}
	m.slices[campaignID] = append(m.slices[campaignID], slice)
}

// SetTx marks them all, in one statement.
func (m *Marks) SetTx(ctx context.Context, tx pgx.Tx, at time.Time) error {
	if len(m.slices) == 0 {
		return nil
	}
	var campaigns, marked []int64
	var ids []uuid.UUID
	for _, c := range slices.Sorted(maps.Keys(m.slices)) {
		of := m.slices[c]
		slices.Sort(of)
		mark := id.New()
		for _, n := range slices.Compact(of) {
			campaigns, ids, marked = append(campaigns, c), append(ids, mark), append(marked, n)
		}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO rollup_marks (campaign_id, mark_id, slices, at)
		SELECT campaign_id, mark_id, array_agg(slice ORDER BY slice), @at
		FROM unnest(@campaigns::bigint[], @ids::uuid[], @slices::bigint[]) AS m (campaign_id, mark_id, slice) GROUP BY 1, 2 ORDER BY 1, 2`,
		pgx.NamedArgs{"campaigns": campaigns, "ids": ids, "slices": marked, "at": at})
	return err
}

// MarkAllTx marks everything that a campaign has.
func MarkAllTx(ctx context.Context, tx pgx.Tx, campaignID int64, at time.Time) error {
	rows, err := tx.Query(ctx, allSlicesSQL, pgx.NamedArgs{"bits": Bits, "campaign": campaignID})
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for part := range slices.Chunk(all, perMark) {
		if err := markTx(ctx, tx, campaignID, at, part); err != nil {
			return err
		}
	}
	return nil
}

const allSlicesSQL = `
	SELECT customer_id >> @bits::int FROM enrollments WHERE campaign_id = @campaign
	UNION SELECT customer_id >> @bits::int FROM touches WHERE campaign_id = @campaign
	UNION SELECT customer_id >> @bits::int FROM responses WHERE campaign_id = @campaign
	UNION SELECT customer_id >> @bits::int FROM attributions WHERE campaign_id = @campaign
	UNION SELECT -1 - floor(extract(epoch FROM at) / 3600)::bigint FROM cost_entries WHERE campaign_id = @campaign
	UNION SELECT -1 - floor(extract(epoch FROM at) / 3600)::bigint FROM reservations WHERE campaign_id = @campaign
	UNION SELECT slice FROM rollup_slices WHERE campaign_id = @campaign
	ORDER BY 1`

// MarkCustomersTx says that something of customers changed and not in which campaigns: it marks them in all that they are, or
// were answered, in.
func MarkCustomersTx(ctx context.Context, tx pgx.Tx, at time.Time, customers ...int64) error {
	if len(customers) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT campaign_id, customer_id >> @bits::int FROM (
			SELECT campaign_id, customer_id FROM enrollments WHERE customer_id = ANY(@customers)
			UNION ALL SELECT campaign_id, customer_id FROM touches WHERE customer_id = ANY(@customers)
			UNION ALL SELECT campaign_id, customer_id FROM responses WHERE customer_id = ANY(@customers) AND customer_id <> 0
			UNION ALL SELECT campaign_id, customer_id FROM attributions WHERE customer_id = ANY(@customers) AND customer_id <> 0) AS part
		WHERE campaign_id IS NOT NULL ORDER BY 1, 2`, pgx.NamedArgs{"bits": Bits, "customers": customers})
	if err != nil {
		return err
	}
	var m Marks
	var campaign, slice int64
	if _, err := pgx.ForEachRow(rows, []any{&campaign, &slice}, func() error { m.add(campaign, slice); return nil }); err != nil {
		return err
	}
	return m.SetTx(ctx, tx, at)
}
