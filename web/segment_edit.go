package web

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"

	"aldine/segments"
)

type segmentPage struct {
	frame
	Form      form
	Segment   segments.Segment // zero for a new one
	Reference []referenceGroup
	Uses      []use
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
	return p.showSegment(c, segments.Segment{}, formWith("expression", c.QueryParam("expression")))
}

func (p *Pages) segmentEdit(c echo.Context) error {
	s, err := p.segmentParam(c)
	if err != nil {
		return err
	}
	return p.showSegment(c, s, formWith("name", s.Name, "expression", s.Expression, "description", s.Description))
}

func (p *Pages) segmentParam(c echo.Context) (segments.Segment, error) {
	id, err := idParam(c)
	if err != nil {
		return segments.Segment{}, err
	}
	return p.Segments.Get(ctx(c), segments.ID(id))
}

func (p *Pages) showSegment(c echo.Context, s segments.Segment, f form) error {
	title := "New segment"
	if s.ID != 0 {
		title = s.Name
	}
	page := segmentPage{frame: p.frame(c, segmentsPlace, title), Form: f, Segment: s}
	var err error
	if page.Reference, err = p.reference(ctx(c)); err != nil {
		return err
	}
	if s.ID != 0 {
		if page.Uses, err = p.segmentUses(ctx(c), s); err != nil {
			return err
		}
	}
	return showStatus(p, c, f.status(), segmentView, page)
}

func (p *Pages) segmentSave(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	draft := segments.Draft{Name: f.Text("name"), Expression: f.Get("expression"), Description: f.Text("description")}
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
		return p.showSegment(c, old, f)
	}
	if _, err := p.Segments.CountSegment(ctx(c), saved.ID); err != nil {
		p.Log.WarnContext(ctx(c), "segment not counted", "segment", saved.ID, "error", err)
	}
	return p.done(c, "/segments/"+strconv.FormatInt(int64(saved.ID), 10), "The segment is saved.")
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

// segmentUses finds the campaigns that aim at a segment and the segments that build on it.
func (p *Pages) segmentUses(ctx context.Context, s segments.Segment) ([]use, error) {
	rows, err := p.Pool.Query(ctx, `
		SELECT 'Campaign', name, '/campaigns/' || campaign_id FROM campaigns WHERE segment_id = @id
		UNION ALL
		SELECT 'Segment', name, '/segments/' || segment_id FROM segments
		WHERE segment_id <> @id AND strpos(expression, 'in_segment("' || @name || '")') > 0
		ORDER BY 1, 2 LIMIT 100`, pgx.NamedArgs{"id": s.ID, "name": s.Name})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[use])
}

// reference is what the editor offers to click: fields, attributes, functions.
func (p *Pages) reference(ctx context.Context) ([]referenceGroup, error) {
	names, err := p.Segments.Names(ctx)
	if err != nil {
		return nil, err
	}
	var own []referenceEntry
	for _, a := range names.Attributes {
		own = append(own, referenceEntry{a.Name, a.Name, a.Name, a.Label + " (" + a.Type + ")"})
	}
	groups := []referenceGroup{}
	if own != nil {
		groups = append(groups, referenceGroup{"Your attributes", own})
	}
	kinds := map[string]int{}
	for _, e := range segments.Reference() {
		i, ok := kinds[e.Kind]
		if !ok {
			i = len(groups)
			kinds[e.Kind] = i
			groups = append(groups, referenceGroup{Name: plainKind(e.Kind)})
		}
		insert := e.Name
		if e.Kind == "function" {
			insert = e.Signature
		}
		groups[i].Entries = append(groups[i].Entries, referenceEntry{e.Name, insert, e.Signature, e.Description})
	}
	return groups, nil
}

func plainKind(kind string) string {
	switch kind {
	case "field":
		return "Facts of a customer"
	case "order field":
		return "Facts of an order"
	case "function":
		return "Functions"
	}
	return kind
}
