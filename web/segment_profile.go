package web

import (
	"errors"
	"strconv"

	"github.com/labstack/echo/v4"

	"aldine/insights"
	"aldine/internal/fault"
	"aldine/segments"
)

// profile is what the members of an expression are like.
type profile struct {
	Problems []problem
	Profile  insights.Profile
	Charts   []shareChart
}

// shareChart is bars of shares; the table behind says the same.
type shareChart struct {
	Title string
	Note  string
	Rows  []insights.Share
}

var (
	profileView = partView[profile]("segment-profile")
	overlapView = partView[overlap]("segment-overlap")
)

func (p *Pages) segmentProfile(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	found, err := p.Insights.Profile(ctx(c), f.Get("expression"))
	if fe := (*fault.Error)(nil); errors.As(err, &fe) && (fe.Kind == fault.Invalid || fe.Kind == fault.Unavailable) {
		return show(p, c, profileView, profile{Problems: problems(f.Get("expression"), fe)})
	} else if err != nil {
		return err
	}
	page := profile{Profile: found}
	reach := make([]insights.Share, len(found.Reach))
	words := map[string]string{"email": "e-mail", "calls": "call", "post": "letter", "sms": "text message"}
	for i, r := range found.Reach {
		reach[i] = r
		reach[i].Label = words[r.Label]
	}
	country := make([]insights.Share, len(found.Country))
	for i, r := range found.Country {
		if country[i] = r; r.Label == "" {
			country[i].Label = "not known"
		}
	}
	page.Charts = append(page.Charts, shareChart{"Can be reached by", "With an address there, not suppressed, consent as the settings ask for.", reach},
		shareChart{"Country", "", country}, shareChart{"Spent so far", "In the base currency.", found.Value})
	if len(found.Age) > 0 {
		page.Charts = append(page.Charts, shareChart{"Age", "", found.Age})
	}
	return show(p, c, profileView, page)
}

type overlap struct {
	Problems []problem
	Names    []string
	Rows     []sharedRow
}

type sharedRow struct {
	In      []bool
	Members int64
	Share   float64 // of the largest row
}

// segmentOverlap compares the expression at hand with up to three saved segments.
func (p *Pages) segmentOverlap(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	expressions, names := []string{f.Get("expression")}, []string{"this one"}
	for _, text := range f.values["with"] {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			continue // nothing chosen
		}
		other, err := p.Segments.Get(ctx(c), segments.ID(id))
		if err != nil {
			return err
		}
		if other.Hidden { // its expression is left out, which would mean everybody
			return show(p, c, overlapView, overlap{Problems: []problem{{Message: "The segment " + other.Name + " asks for private attributes, which your role may not see"}}})
		}
		expressions, names = append(expressions, other.Expression), append(names, other.Name)
	}
	found, err := p.Insights.Overlap(ctx(c), expressions)
	if fe := (*fault.Error)(nil); errors.As(err, &fe) && (fe.Kind == fault.Invalid || fe.Kind == fault.Unavailable) {
		return show(p, c, overlapView, overlap{Problems: problems(expressions[0], fe)})
	} else if err != nil {
		return err
	}
	page := overlap{Names: names}
	for _, o := range found {
		page.Rows = append(page.Rows, sharedRow{o.In, o.Members, float64(o.Members) / float64(found[0].Members)})
	}
	return show(p, c, overlapView, page)
}
