package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"aldine/internal/access"
	"aldine/reports"
)

type homePage struct {
	frame
	reports.Dashboard
	Waits []wait
	Chart *chart
	Opens int64 // of the days of the chart
	Busy  bool  // something runs: the page asks again
}

// wait is something that waits for a person, in words, with the way to it.
type wait struct{ Icon, Text, Path string }

var (
	homeView     = pageView[homePage]("home")
	homeLiveView = partView[homePage]("home-live")
)

func (p *Pages) home(c echo.Context) error {
	role := access.From(ctx(c)).Role
	if !homePlace.openTo(role) && callsPlace.openTo(role) {
		return c.Redirect(http.StatusSeeOther, callsPlace.Path)
	}
	page, err := p.homePage(c)
	if err != nil {
		return err
	}
	return show(p, c, homeView, page)
}

// homeLive answers the poll of the home page.
func (p *Pages) homeLive(c echo.Context) error {
	page, err := p.homePage(c)
	if err != nil {
		return err
	}
	return show(p, c, homeLiveView, page)
}

func (p *Pages) homePage(c echo.Context) (homePage, error) {
	page := homePage{frame: p.frame(c, homePlace, "Home")}
	var err error
	if page.Dashboard, err = p.Reports.Dashboard(ctx(c)); err != nil {
		return page, err
	}
	for _, w := range page.Waiting {
		if line, ok := waitOf(w); ok && page.mayWait(w.Kind) {
			page.Waits = append(page.Waits, line)
		}
	}
	var rows []chartRow
	var any int64
	for _, d := range page.Days {
		rows = append(rows, chartRow{d.Day, []int64{d.Responses, d.Orders}})
		any += d.Responses + d.Orders
		page.Opens += d.Opens
	}
	if any > 0 {
		page.Chart = newChart("Responses and orders of the last two weeks", []string{"Responses", "Orders"}, rows)
	}
	for _, q := range page.Queues {
		page.Busy = page.Busy || q.Waiting > 0 || q.Running > 0
	}
	page.Busy = page.Busy || len(page.Running) > 0
	return page, nil
}

func (p homePage) mayWait(kind string) bool {
	switch kind {
	case "approve":
		return p.May("campaigns.approve")
	case "jobs_failed":
		return p.May("administer")
	}
	return p.May("campaigns.write")
}

func waitOf(w reports.Waiting) (wait, bool) {
	switch w.Kind {
	case "approve":
		return wait{"circle-check", plural(w.Count, "draft with a budget may be approved", "drafts with a budget may be approved"), "/campaigns?state=draft"}, true
	case "launch":
		return wait{"player-play", plural(w.Count, "approved campaign is not launched yet", "approved campaigns are not launched yet"), "/campaigns?state=approved"}, true
	case "unmatched":
		return wait{"info-circle", plural(w.Count, "response names no known campaign", "responses name no known campaign"), "/reports/unmatched"}, true
	case "unconfirmed":
		return wait{"alert-triangle", plural(w.Count, "contact is unconfirmed", "contacts are unconfirmed") + ": open its campaign to settle it", "/campaigns"}, true
	case "print_failed":
		return wait{"printer", plural(w.Count, "print run failed", "print runs failed"), "/print-runs"}, true
	case "jobs_failed":
		return wait{"alert-triangle", plural(w.Count, "job failed for good", "jobs failed for good"), "/settings/jobs"}, true
	}
	return wait{}, false
}
