package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/customers/mergepurge"
	"aldine/internal/fault"
)

// mergeRunPage is a run under way or ended.
type mergeRunPage struct {
	frame
	Run      mergepurge.Run
	Live     bool
	Progress progress
	mergeReport
	InList string // the expression for the names
}

var (
	mergeRunView  = pageView[mergeRunPage]("merge-run")
	mergeLiveView = partView[mergeRunPage]("merge-live")
)

func (p *Pages) mergeShow(c echo.Context) error {
	run, err := p.mergeParam(c)
	if err != nil {
		return err
	}
	if run.State == mergepurge.Draft {
		return p.showMergeDraft(c, run, formWith())
	}
	return show(p, c, mergeRunView, p.mergeRunPage(c, run))
}

// mergeLive answers the poll of a run under way.
func (p *Pages) mergeLive(c echo.Context) error {
	run, err := p.mergeParam(c)
	if err != nil {
		return err
	}
	return show(p, c, mergeLiveView, p.mergeRunPage(c, run))
}

func (p *Pages) mergeRunPage(c echo.Context, run mergepurge.Run) mergeRunPage {
	page := mergeRunPage{frame: p.frame(c, customersPlace, run.Name), Run: run, InList: `in_list(` + strconv.Quote(run.Name) + `)`}
	switch run.State {
	case mergepurge.Waiting, mergepurge.Running, mergepurge.Applying:
		page.Live = true
		page.Progress = newProgress(c, p.Now(), run.Phase, mergePhase(run), run.Done, run.Total)
	}
	page.mergeReport = reportOf(run)
	return page
}

// mergePhase says in words what a run does just now.
func mergePhase(run mergepurge.Run) string {
	if run.State == mergepurge.Waiting {
		return "Waiting for its turn"
	}
	switch run.Phase {
	case mergepurge.Loading:
		return "Reading the lists"
	case mergepurge.Matching:
		return "Finding who is the same"
	case mergepurge.Allocating:
		return "Deciding which list keeps a name"
	case mergepurge.Reporting:
		return "Counting"
	case "", "applying":
		if run.State == mergepurge.Applying {
			return "Making the list"
		}
		return "Beginning"
	}
	word := sayWord(run.Phase)
	return strings.ToUpper(word[:1]) + word[1:]
}

func (p *Pages) mergeCancel(c echo.Context) error {
	run, err := p.mergeParam(c)
	if err != nil {
		return err
	}
	if err := p.MergePurge.Cancel(ctx(c), run.ID); err != nil {
		return err
	}
	if run.State == mergepurge.Applying {
		return p.done(c, mergePath(run), "Stopped. The report stays, and the list can be made again.")
	}
	return p.done(c, mergePath(run), "The run is cancelled. Nothing was changed.")
}

type mergeApplyPage struct {
	frame
	Run         mergepurge.Run
	Form        form
	Net, Rented int64
}

var mergeApplyView = pageView[mergeApplyPage]("merge-apply")

func (p *Pages) mergeApplyAsk(c echo.Context) error {
	run, err := p.mergeParam(c)
	if err != nil {
		return err
	}
	return p.showMergeApply(c, run, formWith())
}

func (p *Pages) showMergeApply(c echo.Context, run mergepurge.Run, f form) error {
	if run.State != mergepurge.Finished || run.Report == nil {
		return fault.New(fault.Conflict, "Only a finished run can be applied; this one is %s", sayWord(run.State))
	}
	page := mergeApplyPage{frame: p.frame(c, customersPlace, "Apply "+run.Name), Run: run, Form: f, Net: run.Report.Net}
	for _, in := range run.Report.Inputs {
		if in.Kind == mergepurge.Rented {
			page.Rented += in.Net
		}
	}
	return showStatus(p, c, f.status(), mergeApplyView, page)
}

func (p *Pages) mergeApply(c echo.Context) error {
	run, err := p.mergeParam(c)
	if err != nil {
		return err
	}
	if _, err := p.MergePurge.Apply(ctx(c), run.ID); err != nil {
		f := formWith()
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showMergeApply(c, run, f)
	}
	return c.Redirect(http.StatusSeeOther, mergePath(run))
}

// mergeFile answers with the report as XLSX or JSON, or with the net names as CSV.
func (p *Pages) mergeFile(c echo.Context) error {
	run, err := p.mergeParam(c)
	if err != nil {
		return err
	}
	if run.Report == nil {
		return fault.New(fault.NotFound, "This run has no report")
	}
	name := "merge-purge-" + number64(run.ID)
	switch c.Param("file") {
	case "report.xlsx":
		var b bytes.Buffer
		if err := p.MergePurge.WriteXLSX(ctx(c), run.ID, &b); err != nil {
			return err
		}
		return download(c, name+".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b.Bytes())
	case "report.json":
		b, err := json.MarshalIndent(run.Report, "", "  ")
		if err != nil {
			return err
		}
		return download(c, name+".json", "application/json", append(b, '\n'))
	}
	return fault.New(fault.NotFound, "This run has no such file")
}

// mergeNet streams the net names: they may be more than memory holds.
func (p *Pages) mergeNet(c echo.Context) error {
	run, err := p.mergeParam(c)
	if err != nil {
		return err
	}
	if run.Report == nil {
		return fault.New(fault.NotFound, "This run has no report")
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="net-names-`+number64(run.ID)+`.csv"`)
	c.Response().Header().Set(echo.HeaderContentType, "text/csv; charset=utf-8")
	if err := p.MergePurge.WriteNet(ctx(c), run.ID, c.Response()); err != nil {
		if !c.Response().Committed {
			c.Response().Header().Del("Content-Disposition")
			return err
		}
		p.Log.WarnContext(ctx(c), "download broke off", "run", run.ID, "error", err)
		panic(http.ErrAbortHandler) // a half file must not look whole
	}
	return nil
}
