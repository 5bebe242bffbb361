package web

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/campaigns"
	"aldine/internal/access"
	"aldine/internal/fault"
)

// action is a change of state that a person may order. Every one goes through a page that says what it will do.
type action struct {
	Name   string
	Label  string // of the button that leads to the page
	Do     string // of the button that does it
	Icon   string
	Style  string
	Typed  bool // confirmed by typing the campaign's code
	Effect func(campaigns.Details) string
	done   string
	needs  access.Permission
	from   map[campaigns.State]bool
	run    func(p *Pages, ctx context.Context, id int64, rowVersion int) (campaigns.Details, error)
}

func states(s ...campaigns.State) map[campaigns.State]bool {
	m := map[campaigns.State]bool{}
	for _, v := range s {
		m[v] = true
	}
	return m
}

func simply(call func(*campaigns.Service, context.Context, int64) (campaigns.Details, error)) func(*Pages, context.Context, int64, int) (campaigns.Details, error) {
	return func(p *Pages, ctx context.Context, id int64, _ int) (campaigns.Details, error) {
		return call(p.Campaigns, ctx, id)
	}
}

var actions = []action{
	{Name: "approve", Label: "Approve…", Do: "Approve", Icon: "circle-check", Style: "btn-primary", needs: access.Approve, from: states(campaigns.Draft),
		done: "Approved. It can be launched now.",
		Effect: func(campaigns.Details) string {
			return "Audience, journey, templates and keycodes are frozen as they are now. Nothing is sent before the launch, and the approval can be taken back."
		},
		run: func(p *Pages, ctx context.Context, id int64, rowVersion int) (campaigns.Details, error) {
			return p.Campaigns.Approve(ctx, id, rowVersion)
		}},
	{Name: "launch", Label: "Launch…", Do: "Launch now", Icon: "player-play", Style: "btn-primary", needs: access.CampaignsWrite, from: states(campaigns.Approved),
		done: "Launched. The first contacts are on their way.",
		Effect: func(campaigns.Details) string {
			return "Customers enter the journey and the first step begins to send at once, as the forecast below says. What has been sent can't be taken back."
		},
		run: simply((*campaigns.Service).Launch)},
	{Name: "withdraw", Label: "Take the approval back…", Do: "Back to draft", Icon: "arrow-back-up", Style: "", needs: access.CampaignsWrite, from: states(campaigns.Approved),
		done: "It is a draft again.",
		Effect: func(campaigns.Details) string {
			return "The campaign becomes a draft that can be changed, and needs a new approval."
		},
		run: func(p *Pages, ctx context.Context, id int64, rowVersion int) (campaigns.Details, error) {
			return p.Campaigns.Withdraw(ctx, id, rowVersion)
		}},
	{Name: "pause", Label: "Pause…", Do: "Pause now", Icon: "player-pause", Style: "", needs: access.CampaignsWrite, from: states(campaigns.Running),
		done: "Paused.",
		Effect: func(d campaigns.Details) string {
			return "Sending stops within seconds; " + openTouches(d) + " and everybody under way are held where they are. Nothing is skipped, and it can go on later."
		},
		run: simply((*campaigns.Service).Pause)},
	{Name: "resume", Label: "Go on…", Do: "Go on", Icon: "player-play", Style: "btn-primary", needs: access.CampaignsWrite, from: states(campaigns.Paused),
		done: "It goes on.",
		Effect: func(d campaigns.Details) string {
			return "Sending goes on with " + openTouches(d) + ", and those whose wait is over move to their next step."
		},
		run: simply((*campaigns.Service).Resume)},
	{Name: "cancel", Label: "Cancel for good…", Do: "Cancel the campaign", Icon: "ban", Style: "btn-outline-danger", Typed: true, needs: access.CampaignsWrite,
		from: states(campaigns.Draft, campaigns.Approved, campaigns.Running, campaigns.Paused), done: "The campaign is cancelled.",
		Effect: func(d campaigns.Details) string {
			return "The campaign ends for good: " + openTouches(d) + " will never be sent and " + plural(d.Enrollments["active"], "customer leaves", "customers leave") +
				" the journey. What was sent stays in the report. This can't be undone."
		},
		run: simply((*campaigns.Service).Cancel)},
}

func openTouches(d campaigns.Details) string {
	return plural(d.Touches.ByState["planned"]+d.Touches.ByState["sending"], "planned contact", "planned contacts")
}

type actionPage struct {
	frame
	Campaign campaigns.Details
	Action   action
	Effect   string
	Form     form
	Forecast bool
}

var actionView = pageView[actionPage]("campaign-action")

func (p *Pages) actionParam(c echo.Context) (campaigns.Details, action, error) {
	d, err := p.campaignParam(c)
	if err != nil {
		return d, action{}, err
	}
	for _, a := range actions {
		if a.Name != c.Param("action") {
			continue
		}
		if err := access.Require(ctx(c), a.needs); err != nil {
			return d, a, err
		}
		return d, a, nil
	}
	return d, action{}, fault.New(fault.NotFound, "There is no such page")
}

func (p *Pages) actionAsk(c echo.Context) error {
	d, a, err := p.actionParam(c)
	if err != nil {
		return err
	}
	if !a.from[d.State] {
		return fault.New(fault.Conflict, "The campaign is %s: this is not possible now", d.State)
	}
	return p.showAction(c, d, a, form{})
}

func (p *Pages) showAction(c echo.Context, d campaigns.Details, a action, f form) error {
	page := actionPage{frame: p.frame(c, campaignsPlace, a.Do+": "+d.Name), Campaign: d, Action: a, Effect: a.Effect(d), Form: f,
		Forecast: a.Name == "approve" || a.Name == "launch"}
	return showStatus(p, c, f.status(), actionView, page)
}

func (p *Pages) actionDo(c echo.Context) error {
	d, a, err := p.actionParam(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	version, _ := strconv.Atoi(f.Get("row_version"))
	if a.Typed && !strings.EqualFold(f.Text("typed"), d.Code) {
		err = fault.BadField("typed", "Type the code %s to confirm", d.Code)
	} else {
		d, err = a.run(p, ctx(c), d.ID, version)
	}
	if err != nil {
		var fe *fault.Error
		if errors.As(err, &fe) && fe.Kind == fault.Invalid {
			if err := f.refused(err); err != nil {
				return err
			}
			if d.ID == 0 {
				if d, err = p.campaignParam(c); err != nil {
					return err
				}
			}
			return p.showAction(c, d, a, f)
		}
		return err
	}
	return p.done(c, "/campaigns/"+c.Param("id"), a.done)
}
