package web

import (
	"github.com/labstack/echo/v4"

	"aldine/internal/fault"
	"aldine/tracking"
)

type trackingPage struct {
	settingsFrame
	Run      tracking.Reclassification // the newest; zero where there was none
	Live     bool
	Progress progress
	Runs     []tracking.Reclassification
}

var (
	trackingView     = pageView[trackingPage]("settings-tracking")
	trackingLiveView = partView[trackingPage]("tracking-live")
)

func (p *Pages) trackingPage(c echo.Context, f form) (trackingPage, error) {
	page := trackingPage{settingsFrame: p.settingsFrame(c, "Tracking", f)}
	var err error
	if page.Runs, err = p.Tracking.Reclassifications(ctx(c), 0, 20); err != nil || len(page.Runs) == 0 {
		return page, err
	}
	page.Run = page.Runs[0]
	page.Live = page.Run.Open()
	words := "Judging hits"
	if page.Run.State == tracking.Waiting {
		words = "Waiting for its turn"
	}
	page.Progress = newProgress(c, p.Now(), page.Run.State, words, page.Run.Reached, page.Run.Last)
	return page, nil
}

func (p *Pages) trackingShow(c echo.Context) error { return p.showTracking(c, formWith()) }

func (p *Pages) showTracking(c echo.Context, f form) error {
	page, err := p.trackingPage(c, f)
	if err != nil {
		return err
	}
	return showStatus(p, c, f.status(), trackingView, page)
}

// trackingLive answers the poll while hits are judged; when that has ended the whole page is read again.
func (p *Pages) trackingLive(c echo.Context) error {
	page, err := p.trackingPage(c, formWith())
	if err != nil {
		return err
	}
	if !page.Live {
		c.Response().Header().Set("HX-Refresh", "true")
	}
	return show(p, c, trackingLiveView, page)
}

func (p *Pages) reclassify(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	in := tracking.NewReclassification{Every: f.Has("every", "yes")}
	if name := f.Text("campaign"); name != "" {
		if in.CampaignID, err = p.Campaigns.Find(ctx(c), name); fault.Is(err, fault.NotFound) {
			err = fault.BadField("campaign", "There is no campaign of this code or number")
		}
	}
	if err == nil {
		_, err = p.Tracking.StartReclassification(ctx(c), in)
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showTracking(c, f)
	}
	return p.done(c, "/settings/tracking", "Stored hits are being judged again.")
}

func (p *Pages) reclassifyCancel(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	if err := p.Tracking.CancelReclassification(ctx(c), id); err != nil {
		return err
	}
	return p.done(c, "/settings/tracking", "Stopped; hits judged before stay so, and another run leaves them out.")
}
