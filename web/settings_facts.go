package web

import (
	"time"

	"github.com/labstack/echo/v4"

	"aldine/customers"
)

type factsPage struct {
	settingsFrame
	Run      customers.Recomputation // the newest; zero where there was none
	Live     bool
	Progress progress
	Runs     []customers.Recomputation
}

var (
	factsView     = pageView[factsPage]("settings-facts")
	factsLiveView = partView[factsPage]("facts-live")
)

// Took says how long a run took that has ended.
func (factsPage) Took(r customers.Recomputation) string {
	if r.FinishedAt == nil {
		return ""
	}
	return r.FinishedAt.Sub(r.CreatedAt).Round(time.Second).String()
}

func (p *Pages) factsPage(c echo.Context, f form) (factsPage, error) {
	page := factsPage{settingsFrame: p.settingsFrame(c, "Derived facts", f)}
	var err error
	if page.Runs, err = p.Customers.Recomputations(ctx(c), 20); err != nil || len(page.Runs) == 0 {
		return page, err
	}
	page.Run = page.Runs[0]
	page.Live = page.Run.FinishedAt == nil
	words := "Comparing customers with their orders"
	if page.Run.State == "waiting" {
		words = "Waiting for its turn"
	}
	page.Progress = newProgress(c, p.Now(), page.Run.State, words, page.Run.LookedAt, page.Run.Customers)
	return page, nil
}

func (p *Pages) factsShow(c echo.Context) error { return p.showFacts(c, formWith()) }

func (p *Pages) showFacts(c echo.Context, f form) error {
	page, err := p.factsPage(c, f)
	if err != nil {
		return err
	}
	return showStatus(p, c, f.status(), factsView, page)
}

// factsLive answers the poll while facts are recomputed; when that has ended the whole page is read again.
func (p *Pages) factsLive(c echo.Context) error {
	page, err := p.factsPage(c, formWith())
	if err != nil {
		return err
	}
	if !page.Live {
		c.Response().Header().Set("HX-Refresh", "true")
	}
	return show(p, c, factsLiveView, page)
}

func (p *Pages) recompute(c echo.Context) error {
	f := formWith()
	if _, err := p.Customers.StartRecomputation(ctx(c), false); err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showFacts(c, f)
	}
	return p.done(c, "/settings/facts", "The facts are being recomputed.")
}

func (p *Pages) recomputeCancel(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	if _, err := p.Customers.CancelRecomputation(ctx(c), id); err != nil {
		return err
	}
	return p.done(c, "/settings/facts", "Stopped; what is mended stays, and it can be carried on.")
}

// recomputeResume carries on a run that was stopped.
func (p *Pages) recomputeResume(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	if _, err := p.Customers.ResumeRecomputation(ctx(c), id); err != nil {
		return err
	}
	return p.done(c, "/settings/facts", "The recomputation goes on where it was.")
}
