package demo

import (
	"context"
	"encoding/json"
	"time"

	"github.com/govalues/decimal"

	"aldine/campaigns"
)

const (
	springSegment  = "Gardeners"
	springAudience = `(orders_count >= 1 or in_list("Green Fingers subscribers") or in_list("Herb Society")) and country in ["US", "GB", "DE"]`
	springCode     = "spring-bulbs"
	autumnCode     = "autumn-planting"
)

// spring runs the spring campaign from the draft to the end.
func (d *Demo) spring(ctx context.Context) (int64, error) {
	if err := d.templates(ctx); err != nil {
		return 0, err
	}
	d.at(0, 0)
	budget, fixed := decimal.MustParse("15000"), decimal.MustParse("1800")
	id, err := d.launch(ctx, campaigns.Input{
		Name: "Spring bulbs", Code: springCode, Objective: "Sell 600 bulb boxes, win 150 new customers from rented lists",
		Currency: "USD", Budget: &budget, FixedCost: &fixed, Segment: springSegment,
		Cells: []campaigns.CellInput{
			{Name: "Offer", Share: decimal.MustParse("90")},
			{Name: "Control", Share: decimal.MustParse("10"), Control: true},
		},
		Journey: json.RawMessage(springJourney),
	})
	if err != nil {
		return 0, err
	}
	d.Say("Spring campaign launched")
	if err := d.settle(ctx); err != nil {
		return 0, err
	}
	for _, act := range []func(context.Context, int64) error{
		d.readMails, d.firstOrders, // first days
		d.secondWave, d.answerTexts, d.answerLetters,
		d.workCalls, d.lateOrders,
	} {
		if err := act(ctx, id); err != nil {
			return 0, err
		}
	}
	d.at(50, 0)
	if err := d.walk(ctx, id); err != nil {
		return 0, err
	}
	return id, d.await(ctx) // until the campaign is called finished
}

// secondWave lets three days pass: who clicked gets a text message, good customers who did not a letter.
func (d *Demo) secondWave(ctx context.Context, id int64) error {
	d.at(3, 1)
	d.Say("Three days later: text messages and letters")
	return d.walk(ctx, id)
}

// running launches the autumn campaign two days ago and leaves it running: part of its journey still lies ahead.
func (d *Demo) running(ctx context.Context) error {
	now := d.Clock.Now()
	d.Clock.Set(now.Add(-48 * time.Hour))
	budget, fixed := decimal.MustParse("9000"), decimal.MustParse("950")
	id, err := d.launch(ctx, campaigns.Input{
		Name: "Autumn planting", Code: autumnCode, Objective: "Wake customers who bought bulbs before",
		Currency: "USD", Budget: &budget, FixedCost: &fixed, Expression: `orders_count >= 2 and last_order_at > ago("2y")`,
		Cells: []campaigns.CellInput{
			{Name: "Offer", Share: decimal.MustParse("85")},
			{Name: "Control", Share: decimal.MustParse("15"), Control: true},
		},
		Journey: json.RawMessage(autumnJourney),
	})
	if err != nil {
		return err
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	d.Say("Autumn campaign launched; it is running")
	d.Clock.Set(now.Add(-43 * time.Hour))
	if err := d.clickThrough(ctx, id, autumnCode, 0.7); err != nil {
		return err
	}
	d.Clock.Set(now.Add(-20 * time.Hour))
	if err := d.clickThrough(ctx, id, autumnCode, 0.3); err != nil {
		return err
	}
	if err := d.mailOrders(ctx, id); err != nil {
		return err
	}
	d.Clock.Release()
	if err := d.walk(ctx, id); err != nil { // the slices learn how long they have to wait by the real clock
		return err
	}
	return d.draft(ctx)
}

// draft leaves a campaign that waits for approval.
func (d *Demo) draft(ctx context.Context) error {
	budget := decimal.MustParse("4000")
	_, err := d.Campaigns.Create(ctx, campaigns.Input{
		Name: "Roses by post", Objective: "Sell bare-root roses before the season", Currency: "USD", Budget: &budget, Segment: "Rose lovers",
		Cells: []campaigns.CellInput{
			{Name: "Letter", Share: decimal.MustParse("80")},
			{Name: "Control", Share: decimal.MustParse("20"), Control: true},
		},
		Journey: json.RawMessage(`{"start":"letter","steps":[
			{"key":"letter","type":"post","template":"Spring letter","unit_cost":"0.6200","dedup":"household","next":"end"},
			{"key":"end","type":"end"}]}`),
	})
	return err
}
