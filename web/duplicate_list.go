package web

import (
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/customers/duplicates"
	"aldine/internal/fault"
)

// sureScore is from where pairs may be merged many at once.
const sureScore = 0.99

type duplicatesPage struct {
	frame
	Search      duplicates.Search // the newest; zero where there was none
	Live        bool
	Searched    bool
	Progress    progress
	Counts      duplicates.Counts
	Sure        int64
	Pairs       []pairLine
	First, Next string
}

// pairLine is a pair in the list of those to review.
type pairLine struct {
	duplicates.Pair
	Path       string
	Sure       string
	Reason     string
	One, Other pairOf
}

// pairOf is one customer of a pair on one line.
type pairOf struct{ Name, Where string }

var (
	duplicatesView     = pageView[duplicatesPage]("duplicates")
	duplicatesLiveView = partView[duplicatesPage]("duplicates-live")
)

func (p *Pages) duplicateList(c echo.Context) error {
	page, err := p.duplicatesPage(c)
	if err != nil {
		return err
	}
	after, err := readCursor(c.QueryParam("after"))
	if err != nil {
		return err
	}
	list, err := p.Duplicates.Open(ctx(c), after, rowsPerPage+1)
	if err != nil {
		return err
	}
	if c.QueryParam("after") != "" {
		page.First = "/duplicates"
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		page.Next = "/duplicates?after=" + writeCursor(list[rowsPerPage-1].Cursor())
	}
	for _, pair := range list {
		page.Pairs = append(page.Pairs, pairLine{pair, pairPath(pair), sureness(pair.Score), reasonFor(pair.Evidence),
			pairOf{sideName(pair.A, pair.CustomerID), whereOf(pair.A)}, pairOf{sideName(pair.B, pair.OtherID), whereOf(pair.B)}})
	}
	return show(p, c, duplicatesView, page)
}

// duplicatesLive answers the poll while a search runs; when it has ended the whole page is read again.
func (p *Pages) duplicatesLive(c echo.Context) error {
	page, err := p.duplicatesPage(c)
	if err != nil {
		return err
	}
	if !page.Live {
		c.Response().Header().Set("HX-Refresh", "true")
	}
	return show(p, c, duplicatesLiveView, page)
}

func (p *Pages) duplicatesPage(c echo.Context) (duplicatesPage, error) {
	page := duplicatesPage{frame: p.frame(c, customersPlace, "Duplicates to review")}
	searches, err := p.Duplicates.Searches(ctx(c), 0, 1)
	if err != nil {
		return page, err
	}
	if len(searches) > 0 {
		page.Search, page.Searched = searches[0], true
		page.Live = page.Search.State == "waiting" || page.Search.State == "running"
		page.Progress = newProgress(c, p.Now(), page.Search.Phase, searchPhase(page.Search), page.Search.Done, page.Search.Total)
	}
	if page.Counts, err = p.Duplicates.Counts(ctx(c)); err != nil {
		return page, err
	}
	page.Sure, err = p.Duplicates.CountSure(ctx(c), sureScore)
	return page, err
}

// searchPhase says in words what a search does just now.
func searchPhase(s duplicates.Search) string {
	if s.State == "waiting" {
		return "Waiting for its turn"
	}
	switch s.Phase {
	case "loading":
		return "Reading the house file"
	case "matching":
		return "Comparing customers"
	case "writing":
		return "Writing down the pairs"
	case "grouping":
		return "Grouping who is one person"
	case "merging":
		return "Merging sure pairs"
	}
	return "Beginning"
}

func (p *Pages) duplicateSearch(c echo.Context) error {
	if _, err := p.Duplicates.StartSearch(ctx(c), duplicates.NewSearch{}); err != nil {
		return err
	}
	return p.done(c, "/duplicates", "The search has begun. It merges nobody by itself.")
}

func (p *Pages) duplicateSearchCancel(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	if err := p.Duplicates.CancelSearch(ctx(c), id); err != nil {
		return err
	}
	return p.done(c, "/duplicates", "Stopped; what was done before stays.")
}

type duplicatesSurePage struct {
	frame
	Form form
	Sure int64
}

var duplicatesSureView = pageView[duplicatesSurePage]("duplicates-sure")

func (p *Pages) duplicateSureAsk(c echo.Context) error { return p.showSure(c, formWith()) }

func (p *Pages) showSure(c echo.Context, f form) error {
	sure, err := p.Duplicates.CountSure(ctx(c), sureScore)
	if err != nil {
		return err
	}
	return showStatus(p, c, f.status(), duplicatesSureView, duplicatesSurePage{p.frame(c, customersPlace, "Merge all sure pairs"), f, sure})
}

// duplicateSure merges all sure pairs if the number typed is theirs: no more than the person has seen.
func (p *Pages) duplicateSure(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	sure, err := p.Duplicates.CountSure(ctx(c), sureScore)
	if err == nil && strings.ReplaceAll(f.Text("typed"), ",", "") != number64(sure) {
		err = fault.BadField("typed", "Type the number %d: that many pairs are sure now", sure)
	}
	if err == nil {
		_, err = p.Duplicates.MergeSure(ctx(c), sureScore)
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showSure(c, f)
	}
	return p.done(c, "/duplicates", "The sure pairs are being merged.")
}

// whereOf gives the address of one of a pair on one line.
func whereOf(s duplicates.Side) string {
	var parts []string
	for _, t := range []string{s.Street, strings.TrimSpace(s.PostalCode + " " + s.City), s.Email} {
		if t != "" {
			parts = append(parts, t)
		}
	}
	return strings.Join(parts, ", ")
}

func pairPath(pair duplicates.Pair) string {
	return "/duplicates/" + number64(pair.CustomerID) + "/" + number64(pair.OtherID)
}

// writeCursor and readCursor carry the place in the queue in an address: score, number, other number.
func writeCursor(c duplicates.Cursor) string {
	return strconv.FormatFloat(c.Score, 'g', -1, 64) + "," + number64(c.CustomerID) + "," + number64(c.OtherID)
}

func readCursor(s string) (duplicates.Cursor, error) {
	if s == "" {
		return duplicates.Cursor{}, nil
	}
	var c duplicates.Cursor
	parts := strings.Split(s, ",")
	if len(parts) == 3 {
		score, err1 := strconv.ParseFloat(parts[0], 64)
		a, err2 := strconv.ParseInt(parts[1], 10, 64)
		b, err3 := strconv.ParseInt(parts[2], 10, 64)
		if err1 == nil && err2 == nil && err3 == nil && score >= 0 && score <= 1 {
			c = duplicates.Cursor{Score: score, CustomerID: a, OtherID: b}
			return c, nil
		}
	}
	return c, fault.BadField("after", "This is no place in the queue of pairs")
}
