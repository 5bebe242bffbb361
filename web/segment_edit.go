package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"aldine/segments"
)

type segmentPage struct {
	frame
	Form      form
	Segment   segments.Segment // zero for a new one
	Reference []referenceGroup
	Names     segments.Names // what the builder and the editor offer
	Verdict   *verdict       // this and the next three where they were asked for without a script
	Sample    *sample
	Profile   *profile
	Overlap   *overlap
	Uses      []use
	Versions  []versionRow
	Older     string // address of the versions before
	History   *chart
	Others    []segments.Segment // to compare with
	Folders   []segments.Label
}

// versionRow is a version with the lines that changed since the one before.
type versionRow struct {
	segments.Version
	Present bool
}

// use is a thing that needs the segment.
type use struct{ Kind, Name, Path string }

type referenceGroup struct {
	Name    string
	Entries []referenceEntry
}

type referenceEntry struct{ Name, Insert, Signature, Description string }

var segmentView = pageView[segmentPage]("segment")

func (p *Pages) segmentNew(c echo.Context) error {
	return p.showSegment(c, segments.Segment{}, formWith("expression", c.QueryParam("expression")), nil)
}

func (p *Pages) segmentEdit(c echo.Context) error {
	s, err := p.segmentParam(c)
	if err != nil {
		return err
	}
	return p.showSegment(c, s, formWith("name", s.Name, "expression", s.Expression, "description", s.Description,
		"owner", s.Owner, "folder", s.Folder, "tags", strings.Join(s.Tags, ", "), "row_version", strconv.Itoa(s.RowVersion)), nil)
}

func (p *Pages) segmentParam(c echo.Context) (segments.Segment, error) {
	id, err := idParam(c)
	if err != nil {
		return segments.Segment{}, err
	}
	return p.Segments.Get(ctx(c), segments.ID(id))
}

// showSegment draws the page, with what asked adds to it, which may be nil.
func (p *Pages) showSegment(c echo.Context, s segments.Segment, f form, asked func(*segmentPage)) error {
	title := "New segment"
	if s.ID != 0 {
		title = s.Name
	}
	page := segmentPage{frame: p.frame(c, segmentsPlace, title), Form: f, Segment: s}
	var err error
	if page.Names, err = p.Segments.Names(ctx(c)); err != nil {
		return err
	}
	page.Reference = reference(page.Names)
	if page.Folders, err = p.Segments.Folders(ctx(c)); err != nil {
		return err
	}
	if page.Others, err = p.Segments.List(ctx(c), segments.Query{Limit: 200}); err != nil {
		return err
	}
	page.Others = slices.DeleteFunc(page.Others, func(o segments.Segment) bool { return o.ID == s.ID || o.Hidden })
	if s.ID != 0 {
		if err := p.aboutSegment(c, &page); err != nil {
			return err
		}
	}
	if asked != nil {
		asked(&page)
	}
	return showStatus(p, c, f.status(), segmentView, page)
}

// aboutSegment reads who uses a saved segment, what it said before and how its size went.
func (p *Pages) aboutSegment(c echo.Context, page *segmentPage) (err error) {
	if page.Uses, err = p.segmentUses(ctx(c), page.Segment); err != nil {
		return err
	}
	before, _ := strconv.Atoi(c.QueryParam("before"))
	versions, err := p.Segments.Versions(ctx(c), page.Segment.ID, max(before, 0), versionsShown+1)
	if err != nil {
		return err
	}
	if len(versions) > versionsShown {
		versions = versions[:versionsShown]
		page.Older = fmt.Sprintf("/segments/%d?before=%d#versions", page.Segment.ID, versions[versionsShown-1].Version)
	}
	for _, v := range versions {
		page.Versions = append(page.Versions, versionRow{v, v.Version == page.Segment.Version})
	}
	days, err := p.Segments.History(ctx(c), page.Segment.ID, 90)
	if err != nil {
		return err
	}
	var rows []chartRow
	for _, d := range days {
		rows = append(rows, chartRow{Label: d.Day.Format(time.DateOnly), Values: []int64{d.Members}})
	}
	page.History = newChart("Size by day", []string{"customers"}, rows)
	return nil
}

const versionsShown = 10

// segmentRestore takes an earlier version as the present one.
func (p *Pages) segmentRestore(c echo.Context) error {
	s, err := p.segmentParam(c)
	if err != nil {
		return err
	}
	version, _ := strconv.Atoi(c.Param("version"))
	restored, err := p.Segments.Restore(ctx(c), s.ID, version)
	if err != nil {
		return err
	}
	p.count(c, restored)
	return p.done(c, segmentPath(s), fmt.Sprintf("The segment says again what version %d said; this is version %d.", version, restored.Version))
}

func segmentPath(s segments.Segment) string { return "/segments/" + strconv.FormatInt(int64(s.ID), 10) }

// count counts a segment that was just saved; it is saved, whatever becomes of it.
func (p *Pages) count(c echo.Context, s segments.Segment) {
	if _, err := p.Segments.CountSegment(ctx(c), s.ID); err != nil {
		p.Log.WarnContext(ctx(c), "segment not counted", "segment", s.ID, "error", err)
	}
}

func (p *Pages) segmentSave(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	draft := segments.Draft{Name: f.Text("name"), Expression: f.Get("expression"), Description: f.Text("description"),
		Owner: f.Text("owner"), Folder: f.Text("folder"), Tags: strings.Split(f.Text("tags"), ",")}
	draft.RowVersion, _ = strconv.Atoi(f.Get("row_version"))
	var old, saved segments.Segment
	if c.Param("id") == "" {
		saved, err = p.Segments.Create(ctx(c), draft)
	} else {
		if old, err = p.segmentParam(c); err != nil {
			return err
		}
		saved, err = p.Segments.Update(ctx(c), old.ID, draft)
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showSegment(c, old, f, nil)
	}
	p.count(c, saved)
	return p.done(c, segmentPath(saved), "The segment is saved.")
}

func (p *Pages) segmentDelete(c echo.Context) error {
	s, err := p.segmentParam(c)
	if err != nil {
		return err
	}
	if err := p.Segments.Delete(ctx(c), s.ID); err != nil {
		return err
	}
	return p.done(c, "/segments", "The segment "+s.Name+" is deleted.")
}

// With gives the segment chosen in the i-th place to compare with.
func (s segmentPage) With(i int) string {
	if chosen := s.Form.values["with"]; i < len(chosen) {
		return chosen[i]
	}
	return ""
}
