package web

import (
	"errors"
	"sort"

	"github.com/labstack/echo/v4"

	"aldine/campaigns"
	"aldine/campaigns/journey"
	"aldine/delivery"
	"aldine/internal/fault"
	"aldine/reports"
)

type campaignPage struct {
	frame
	campaigns.Details
	Actions  []action
	Flow     []flowStep
	Keycodes []reports.Keycode
	Live     bool // numbers may still move
}

// flowStep is one step of the journey as drawn, with its numbers.
type flowStep struct {
	Number  int
	Key     string
	Icon    string
	Title   string
	Text    string
	Leads   []string // ways on, in words
	Sends   bool
	Counted bool
	Counts  campaigns.StepCounts
	Reached int64
	Reasons []reason
	Cost    string
}

type reason struct {
	Name  string
	Count int64
}

var (
	campaignView     = pageView[campaignPage]("campaign")
	campaignLiveView = partView[campaignPage]("campaign-live")
	forecastView     = partView[forecastPart]("forecast")
	unconfirmedView  = partView[unconfirmedPart]("unconfirmed")
	runsView         = partView[[]delivery.PrintRun]("print-runs")
)

func (p *Pages) campaignShow(c echo.Context) error {
	page, err := p.campaignPage(c)
	if err != nil {
		return err
	}
	if page.Keycodes, err = p.Reports.Keycodes(ctx(c), page.ID); err != nil {
		return err
	}
	return show(p, c, campaignView, page)
}

// campaignLive answers the poll of a running campaign's page.
func (p *Pages) campaignLive(c echo.Context) error {
	page, err := p.campaignPage(c)
	if err != nil {
		return err
	}
	if string(page.State) != c.QueryParam("state") { // the buttons and the rest of the page change too
		c.Response().Header().Set("HX-Refresh", "true")
	}
	return show(p, c, campaignLiveView, page)
}

func (p *Pages) campaignPage(c echo.Context) (campaignPage, error) {
	d, err := p.campaignParam(c)
	if err != nil {
		return campaignPage{}, err
	}
	page := campaignPage{frame: p.frame(c, campaignsPlace, d.Name), Details: d, Flow: flowOf(d),
		Live: d.State == campaigns.Running || d.State == campaigns.Paused}
	for _, a := range actions {
		if a.from[d.State] && page.Actor.Role.May(a.needs) {
			page.Actions = append(page.Actions, a)
		}
	}
	return page, nil
}

// Percent of the touches that are settled, for the bar.
func (p campaignPage) Settled() int64 {
	s := p.Touches.ByState
	return s["sent"] + s["failed"] + s["bounced"] + s["excluded"] + s["unconfirmed"]
}

// Reasons gives the exclusions, the most frequent first.
func (p campaignPage) Reasons() []reason { return reasonsOf(p.Touches.ByReason) }

func reasonsOf(m map[string]int64) []reason {
	var out []reason
	for name, n := range m {
		if n > 0 {
			out = append(out, reason{name, n})
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Count != out[j].Count {
			return out[i].Count > out[j].Count
		}
		return out[i].Name < out[j].Name
	})
	return out
}

func flowOf(d campaigns.Details) []flowStep {
	counts := map[string]campaigns.StepCounts{}
	for _, s := range d.Steps {
		counts[s.Key] = s
	}
	var flow []flowStep
	for _, s := range startFirst(d.Journey) {
		f := flowStep{Number: len(flow) + 1, Key: s.Key, Icon: stepIcon(s.Type), Sends: stepRow{Type: s.Type}.Sends()}
		f.Title, f.Text, f.Leads = describeStep(s)
		if s.UnitCost != nil && f.Sends {
			f.Cost = s.UnitCost.Trim(2).Pad(2).String()
		}
		if n, ok := counts[s.Key]; ok {
			f.Counted, f.Counts, f.Reasons = true, n, reasonsOf(n.Excluded)
			for _, k := range n.Touches {
				f.Reached += k
			}
		}
		flow = append(flow, f)
	}
	return flow
}

func startFirst(d journey.Definition) []journey.StepDef {
	var steps []journey.StepDef
	for _, s := range d.Steps {
		if s.Key == d.Start {
			steps = append([]journey.StepDef{s}, steps...)
		} else {
			steps = append(steps, s)
		}
	}
	return steps
}

type forecastPart struct {
	campaigns.Forecast
	Problem *fault.Error
}

// campaignForecast counts the audience, which may take a second; the page loads it afterwards.
func (p *Pages) campaignForecast(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	var part forecastPart
	part.Forecast, err = p.Campaigns.Forecast(ctx(c), id)
	if f := (*fault.Error)(nil); errors.As(err, &f) && f.Kind == fault.Invalid {
		part.Problem = f
	} else if err != nil {
		return err
	}
	return show(p, c, forecastView, part)
}

type unconfirmedPart struct {
	CampaignID int64
	May        bool
	Touches    []delivery.Unconfirmed
}

func (p *Pages) campaignUnconfirmed(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	list, err := p.Delivery.UnconfirmedTouches(ctx(c), id, nil, 50)
	if err != nil {
		return err
	}
	f := p.frame(c, campaignsPlace, "")
	if !f.May("customers.read") { // addresses are for those who may see customers
		for i := range list {
			list[i].Destination = ""
		}
	}
	return show(p, c, unconfirmedView, unconfirmedPart{CampaignID: id, May: f.May("campaigns.write"), Touches: list})
}

// campaignResolve settles unconfirmed touches by a person's word.
func (p *Pages) campaignResolve(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	step, err1 := wholeNumber(f.Get("step"))
	customer, err2 := wholeNumber(f.Get("customer"))
	if err := errors.Join(err1, err2); err != nil {
		return fault.BadField("step", "Step and customer are numbers")
	}
	resend := f.Get("do") == "resend"
	n, err := p.Delivery.ResolveUnconfirmed(ctx(c), id, step, customer, resend)
	if err != nil {
		return err
	}
	text := plural(n, "contact counts", "contacts count") + " as sent now."
	if resend {
		text = plural(n, "contact is", "contacts are") + " planned again."
	}
	return p.done(c, "/campaigns/"+c.Param("id"), text)
}

func (p *Pages) campaignPrintRuns(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	runs, err := p.Delivery.PrintRuns(ctx(c), id, 0, 50)
	if err != nil {
		return err
	}
	return show(p, c, runsView, runs)
}
