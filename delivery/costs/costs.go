// Package costs moves a campaign's money: what planned touches will cost is reserved against the budget, and once a
// touch is settled the reservation is freed and the ledger has what it did cost.
package costs

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/internal/id"
	"aldine/internal/tally"
)

// Step says what money is spent on.
type Step struct {
	CampaignID, StepID int64
	Channel            string
	Currency           string
}

// Piece is a touch whose fate is known, or some that are alike.
type Piece struct {
	Number   int64
	CellID   int64
	ListID   *int64
	Keycode  string
	UnitCost decimal.Decimal
	Sent     bool // it went out and so has to be paid
}

// ReserveTx sets money aside for n pieces.
func ReserveTx(ctx context.Context, tx pgx.Tx, campaignID, stepID int64, unitCost decimal.Decimal, n int, now time.Time) error {
	count, err := decimal.New(int64(n), 0)
	if err != nil {
		return err
	}
	amount, err := unitCost.Mul(count)
	if err != nil {
		return err
	}
	return reserveTx(ctx, tx, campaignID, stepID, amount, now)
}

func reserveTx(ctx context.Context, tx pgx.Tx, campaignID, stepID int64, amount decimal.Decimal, now time.Time) error {
	if amount.IsZero() {
		return nil
	}
	if err := tally.MarkLedgerTx(ctx, tx, campaignID, now); err != nil { // what is booked comes with what is freed
		return err
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO reservations (campaign_id, reservation_id, step_id, amount, at) VALUES (@campaign, @id, @step, @amount, @now)`,
		pgx.NamedArgs{"campaign": campaignID, "id": id.New(), "step": stepID, "amount": amount, "now": now})
	return err
}

// line is what one row of the ledger stands for.
type line struct {
	cell, list int64 // list 0: none
	keycode    string
	cost       decimal.Decimal
}

// SettleTx frees what was set aside for the pieces and books the sent ones, one row of the ledger for each cell, list and keycode.
// Pieces that cost nothing leave no row.
func SettleTx(ctx context.Context, tx pgx.Tx, s Step, pieces []Piece, now time.Time) error {
	var freed decimal.Decimal
	var err error
	counts := map[line]int64{}
	for _, p := range pieces {
		n, err := decimal.New(p.Number, 0)
		if err != nil {
			return err
		}
		if freed, err = freed.AddMul(n, p.UnitCost); err != nil {
			return err
		}
		if p.Sent && !p.UnitCost.IsZero() {
			l := line{cell: p.CellID, keycode: p.Keycode, cost: p.UnitCost}
			if p.ListID != nil {
				l.list = *p.ListID
			}
			counts[l] += p.Number
		}
	}
	if err := reserveTx(ctx, tx, s.CampaignID, s.StepID, freed.Neg(), now); err != nil || len(counts) == 0 {
		return err
	}
	var entries []uuid.UUID
	var cells, lists, quantities []int64
	var keycodes []string
	var costs []decimal.Decimal
	for l, n := range counts {
		entries, cells, lists, quantities = append(entries, id.New()), append(cells, l.cell), append(lists, l.list), append(quantities, n)
		keycodes, costs = append(keycodes, l.keycode), append(costs, l.cost)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO cost_entries (campaign_id, entry_id, at, kind, step_id, cell_id, list_id, channel, keycode, quantity, unit_cost, amount, currency)
		SELECT @campaign, entry_id, @now, 'piece', @step, cell_id, nullif(list_id, 0), @channel, nullif(keycode, ''), quantity, unit_cost,
			quantity * unit_cost, @currency
		FROM unnest(@entries::uuid[], @cells::bigint[], @lists::bigint[], @keycodes::text[], @quantities::bigint[], @costs::numeric[])
			AS e (entry_id, cell_id, list_id, keycode, quantity, unit_cost)`, pgx.NamedArgs{
		"campaign": s.CampaignID, "step": s.StepID, "channel": s.Channel, "currency": s.Currency, "now": now,
		"entries": entries, "cells": cells, "lists": lists, "keycodes": keycodes, "quantities": quantities, "costs": costs,
	})
	return err
}
