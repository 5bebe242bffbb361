package web

import (
	"context"
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
	return answer(p, c, profileView, func(f form) (profile, error) { return p.profile(ctx(c), f.Get("expression")) },
		func(page *segmentPage, of *profile) { page.Profile = of })
}

func (p *Pages) profile(ctx context.Context, expression string) (profile, error) {
	found, err := p.Insights.Profile(ctx, expression)
	if fe := (*fault.Error)(nil); errors.As(err, &fe) && (fe.Kind == fault.Invalid || fe.Kind == fault.Unavailable) {
		return profile{Problems: unasked(fe)}, nil
	} else if err != nil {
		return profile{}, err
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
	return page, nil
}

type overlap struct {
	Problems []problem
	Sets     []overlapSet
	Rows     []sharedRow
}

// overlapSet is one of the segments compared.
type overlapSet struct {
	Name    string
	Members int64
}

type sharedRow struct {
	In      []bool
	Members int64
	Share   float64 // of the largest row
}

// segmentOverlap compares the expression at hand with up to three saved segments.
func (p *Pages) segmentOverlap(c echo.Context) error {
	return answer(p, c, overlapView, func(f form) (overlap, error) { return p.overlap(ctx(c), f) },
		func(page *segmentPage, o *overlap) { page.Overlap = o })
}

func (p *Pages) overlap(ctx context.Context, f form) (overlap, error) {
	expressions, sets := []string{f.Get("expression")}, []overlapSet{{Name: "this one"}}
	for _, text := range f.values["with"] {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			continue // nothing chosen
		}
		other, err := p.Segments.Get(ctx, segments.ID(id))
		if err != nil {
			return overlap{}, err
		}
		if other.Hidden { // its expression is left out, which would mean everybody
			return overlap{Problems: []problem{{Message: "The segment " + other.Name + " asks for private attributes, which your role may not see"}}}, nil
		}
		expressions, sets = append(expressions, other.Expression), append(sets, overlapSet{Name: other.Name})
	}
	if len(sets) == 1 {
		return overlap{Problems: []problem{{Message: "Choose at least one segment to compare with"}}}, nil
	}
	found, err := p.Insights.Overlap(ctx, expressions)
	if fe := (*fault.Error)(nil); errors.As(err, &fe) && (fe.Kind == fault.Invalid || fe.Kind == fault.Unavailable) {
		return overlap{Problems: unasked(fe)}, nil
	} else if err != nil {
		return overlap{}, err
	}
	page := overlap{Sets: sets}
	for _, o := range found {
		page.Rows = append(page.Rows, sharedRow{o.In, o.Members, float64(o.Members) / float64(found[0].Members)})
		for i, in := range o.In {
			if in {
				sets[i].Members += o.Members
			}
		}
	}
	return page, nil
}
