package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"aldine/campaigns"
	"aldine/reports"
)

type campaignCmd struct {
	List    campaignList    `cmd:"" help:"List campaigns."`
	Status  campaignStatus  `cmd:"" help:"Show how far a campaign has come."`
	Approve campaignApprove `cmd:"" help:"Approve a draft."`
	Launch  campaignLaunch  `cmd:"" help:"Launch an approved campaign."`
	Pause   campaignPause   `cmd:"" help:"Hold a running campaign."`
	Resume  campaignResume  `cmd:"" help:"Go on with a paused campaign."`
	Cancel  campaignCancel  `cmd:"" help:"End a campaign for good."`
	Recount campaignRecount `cmd:"" help:"Count the figures of reports anew."`
}

type campaignList struct {
	State string `help:"Only campaigns in this state."`
}

func (c campaignList) Run(ctx context.Context, cfg *config, std streams) error {
	state, err := campaigns.ParseState(c.State)
	if err != nil {
		return err
	}
	return withApp(ctx, cfg, std, func(a *app) error {
		t := newTable(std.out, "ID", "CODE", "NAME", "STATE", "ENTERED", "SENT", "SPENT")
		q := campaigns.Query{State: state, Limit: 100}
		for {
			page, err := a.campaigns.List(ctx, q)
			if err != nil {
				return err
			}
			for _, s := range page {
				t.row(s.ID, s.Code, s.Name, s.State, s.Entered, s.Sent, s.Currency+" "+s.Spent.Trim(2).String())
				q.Before = s.ID
			}
			if len(page) < q.Limit {
				return t.flush()
			}
		}
	})
}

// campaignArg names one campaign.
type campaignArg struct {
	Campaign string `arg:"" help:"Code or number of the campaign."`
}

// do runs one change of state and shows the result.
func (c campaignArg) do(ctx context.Context, cfg *config, std streams, change func(*app, int64) (campaigns.Details, error)) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		id, err := a.campaigns.Find(ctx, c.Campaign)
		if err != nil {
			return err
		}
		d, err := change(a, id)
		if err != nil {
			return err
		}
		return printStatus(std.out, d)
	})
}

type campaignStatus struct {
	campaignArg
	JSON bool `name:"json" help:"Print JSON."`
}

func (c campaignStatus) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		id, err := a.campaigns.Find(ctx, c.Campaign)
		if err != nil {
			return err
		}
		d, err := a.campaigns.Get(ctx, id)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(std.out).Encode(d)
		}
		return printStatus(std.out, d)
	})
}

type campaignApprove struct{ campaignArg }

func (c campaignApprove) Run(ctx context.Context, cfg *config, std streams) error {
	return c.do(ctx, cfg, std, func(a *app, id int64) (campaigns.Details, error) { return a.campaigns.Approve(ctx, id, 0) })
}

type campaignLaunch struct {
	campaignArg
	Work bool `help:"Work the queue here until nothing is left to do now; otherwise a server or aldine work does."`
}

func (c campaignLaunch) Run(ctx context.Context, cfg *config, std streams) error {
	err := c.do(ctx, cfg, std, func(a *app, id int64) (campaigns.Details, error) {
		d, err := a.campaigns.Launch(ctx, id)
		if err != nil || !c.Work {
			return d, err
		}
		if err := a.workUntilIdle(ctx); err != nil {
			return d, err
		}
		return a.campaigns.Get(ctx, id)
	})
	if err == nil && !c.Work {
		fmt.Fprintln(std.err, "Launched. The work is done by aldine serve or aldine work.")
	}
	return err
}

type campaignPause struct{ campaignArg }

func (c campaignPause) Run(ctx context.Context, cfg *config, std streams) error {
	return c.do(ctx, cfg, std, func(a *app, id int64) (campaigns.Details, error) { return a.campaigns.Pause(ctx, id) })
}

type campaignResume struct{ campaignArg }

func (c campaignResume) Run(ctx context.Context, cfg *config, std streams) error {
	return c.do(ctx, cfg, std, func(a *app, id int64) (campaigns.Details, error) { return a.campaigns.Resume(ctx, id) })
}

type campaignCancel struct{ campaignArg }

func (c campaignCancel) Run(ctx context.Context, cfg *config, std streams) error {
	return c.do(ctx, cfg, std, func(a *app, id int64) (campaigns.Details, error) { return a.campaigns.Cancel(ctx, id) })
}

func printStatus(w io.Writer, d campaigns.Details) error {
	t := newTable(w, "CAMPAIGN", d.Name)
	t.row("code", d.Code)
	t.row("state", d.State)
	t.row("entered", d.Entered)
	for _, m := range []struct {
		name   string
		counts map[string]int64
	}{{"touches", d.Touches.ByState}, {"excluded", d.Touches.ByReason}} {
		keys := make([]string, 0, len(m.counts))
		for k := range m.counts {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			t.row(m.name+" "+k, m.counts[k])
		}
	}
	t.row("spent", d.Currency+" "+d.Money.Spent.Trim(2).String())
	t.row("reserved", d.Currency+" "+d.Money.Reserved.Trim(2).String())
	if d.Money.Available != nil {
		t.row("available", d.Currency+" "+d.Money.Available.Trim(2).String())
	}
	for _, x := range d.Troubles {
		t.row("waiting at "+x.Step, x.Message)
	}
	for _, x := range d.Waits {
		text := x.Message
		if x.Next != nil {
			text += "; the next go " + x.Next.UTC().Format("2006-01-02 15:04 UTC")
		}
		t.row(x.Rule+" at "+x.Step, text)
	}
	return t.flush()
}

type reportCmd struct {
	Campaigns reportCampaigns `cmd:"" help:"All campaigns with cost, responses, orders, revenue and ROI."`
}

type reportCampaigns struct {
	Format string `enum:"csv,json,table" default:"table" help:"csv, json or table."`
}

func (c reportCampaigns) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		rows, err := a.reports.AllCampaigns(ctx, reports.Filter{})
		if err != nil {
			return err
		}
		switch c.Format {
		case "csv":
			return reports.WriteCampaignsCSV(std.out, rows)
		case "json":
			return reports.WriteCampaignsJSON(std.out, rows)
		}
		t := newTable(std.out, "CODE", "STATE", "SENT", "COST", "RESPONSES", "ORDERS", "REVENUE", "ROI")
		for _, r := range rows {
			revenue, roi := "not available", "not available"
			if r.Revenue != nil {
				revenue = r.Revenue.String()
			}
			if r.ROI != nil {
				roi = fmt.Sprintf("%.1f %%", *r.ROI*100)
			}
			t.row(r.Code, r.State, r.Quantity, r.Currency+" "+r.Cost.String(), r.Responses, r.Orders, revenue, roi)
		}
		return t.flush()
	})
}

// argOrInput gives an argument, or standard input where the argument is a dash.
func argOrInput(arg string, std streams) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	const limit = 64 << 10
	body, err := io.ReadAll(io.LimitReader(std.in, limit+1))
	if err != nil {
		return "", err
	}
	if len(body) > limit {
		return "", errors.New("standard input is longer than 64 KB")
	}
	return strings.TrimSpace(string(body)), nil
}

// workUntilIdle works the queue in this process until nothing is due.
func (a *app) workUntilIdle(ctx context.Context) error {
	public := a.cfg.PublicURL
	if public == "" {
		public = "http://127.0.0.1:8080"
	}
	if err := a.openDelivery(public); err != nil {
		return err
	}
	stop, err := a.startWorkers(ctx)
	if err != nil {
		return err
	}
	defer stop()
	return a.awaitIdle(ctx, time.Minute)
}
