package demo

import (
	"context"
	"time"

	"aldine/delivery/calls"
)

// workCalls lets two weeks pass and two agents work the call list until nothing on it is left to try.
func (d *Demo) workCalls(ctx context.Context, id int64) error {
	d.at(17, 2)
	if err := d.walk(ctx, id); err != nil {
		return err
	}
	lists, err := d.Delivery.Calls().Lists(ctx, id, 0, 10)
	if err != nil {
		return err
	}
	for _, list := range lists {
		worked := 0
		for shift, open := 0, int64(1); open > 0 && shift < 40; shift++ { // morning and afternoon, until all are done
			d.at(17+float64(shift/2), 2+float64(shift%2)*5)
			n, err := d.shift(ctx, list.ID)
			if err != nil {
				return err
			}
			worked += n
			now, err := d.Delivery.Calls().List(ctx, list.ID)
			if err != nil {
				return err
			}
			open = now.Ready + now.Waiting + now.Leased
		}
		d.Say("Agents made %d calls", worked)
	}
	return d.settle(ctx)
}

func (d *Demo) shift(ctx context.Context, listID int64) (made int, err error) {
	for {
		agent := []string{"kim@alderfinch.example", "lou@alderfinch.example"}[made%2]
		held, err := d.Delivery.Calls().Lease(ctx, listID, agent, 10)
		if err != nil || len(held) == 0 {
			return made, err
		}
		for _, call := range held {
			if _, err := d.Delivery.Calls().Outcome(ctx, call.ID, agent, d.outcome(call)); err != nil {
				return made, err
			}
			made++
		}
	}
}

func (d *Demo) outcome(call calls.Call) calls.Report {
	switch k := d.rng.IntN(100); {
	case k < 9:
		o := d.order(call.CustomerID, call.Keycode, "phone")
		return calls.Report{Outcome: "sale", Order: &calls.Order{Ref: o.OrderRef, Amount: o.Amount, Currency: "USD"}}
	case k < 16:
		return calls.Report{Outcome: "interested", Note: "wants the catalogue"}
	case k < 46:
		return calls.Report{Outcome: "refused"}
	case k < 49:
		return calls.Report{Outcome: "do_not_call"}
	case k < 53:
		back := d.Clock.Now().Add(24 * time.Hour)
		return calls.Report{Outcome: "callback", CallBackAt: &back, Note: "is in the garden"}
	case k < 58:
		return calls.Report{Outcome: "busy"}
	case k < 62:
		return calls.Report{Outcome: "wrong_number"}
	case k < 75:
		return calls.Report{Outcome: "machine"}
	}
	return calls.Report{Outcome: "no_answer"}
}
