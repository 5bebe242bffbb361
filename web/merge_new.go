package web

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"aldine/customers/match"
	"aldine/customers/mergepurge"
	"aldine/internal/fault"
)

type mergeNewPage struct {
	frame
	Form                        form
	Levels, Allocations         []choice
	Channels                    []option
	UsualThreshold, UsualReview string
}

// choice is an option with a sentence that explains it.
type choice struct{ Value, Label, Text string }

var (
	mergeNewView = pageView[mergeNewPage]("merge-new")

	mergeLevels = []choice{
		{mergepurge.Person, "Person", "Two people at one address get a piece each."},
		{mergepurge.Household, "Household", "One piece for all of one surname at an address; a lodger gets one too."},
		{mergepurge.Residence, "Address", "One piece for each address, whoever lives there."},
		{mergepurge.Company, "Company", "One piece for each company, whoever works there. Who has no company counts as a person."},
	}
	mergeAllocations = []choice{
		{mergepurge.RandomWithinHierarchy, "The best rank, lots between equals", "Lists of one rank draw lots, so that each keeps a fair share; a better rank always wins. Best for comparing lists."},
		{mergepurge.Hierarchy, "The best rank", "The list that stands higher keeps the name. Put first what is dearest or has the least net names."},
		{mergepurge.Random, "Lots", "Any of the lists, whatever its rank."},
	}
	mergeChannels = []option{{"all", "any channel"}, {"post", "letter"}, {"email", "e-mail"}, {"sms", "SMS"}, {"calls", "call"}}
)

func (p *Pages) mergeNew(c echo.Context) error {
	return p.showMergeNew(c, formWith("level", mergepurge.Person, "allocation", mergepurge.RandomWithinHierarchy, "channel", "post",
		"seed", p.Now().Format("20060102")))
}

func (p *Pages) showMergeNew(c echo.Context, f form) error {
	return showStatus(p, c, f.status(), mergeNewView, mergeNewPage{p.frame(c, customersPlace, "New merge/purge"), f, mergeLevels, mergeAllocations,
		mergeChannels, shortFloat(match.DefaultThreshold), shortFloat(match.DefaultReview)})
}

func (p *Pages) mergeCreate(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	run, err := newRun(f)
	var made mergepurge.Run
	if err == nil {
		made, err = p.MergePurge.Create(ctx(c), run)
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showMergeNew(c, f)
	}
	return c.Redirect(http.StatusSeeOther, "/merge-runs/"+number64(made.ID))
}

func newRun(f form) (mergepurge.NewRun, error) {
	n := mergepurge.NewRun{Name: f.Text("name"), Level: f.Get("level"), Allocation: f.Get("allocation"), Channel: f.Get("channel")}
	var faults []fault.Field
	var err error
	if s := f.Text("seed"); s != "" {
		if n.Seed, err = strconv.ParseInt(s, 10, 64); err != nil {
			faults = append(faults, fault.Field{Name: "seed", Message: "Write a whole number"})
		}
	}
	for name, to := range map[string]*float64{"threshold": &n.Threshold, "review": &n.Review} {
		if s := f.Text(name); s != "" {
			if *to, err = strconv.ParseFloat(s, 64); err != nil || !(*to > 0 && *to < 1) {
				faults = append(faults, fault.Field{Name: name, Message: "Write a number between 0 and 1, such as 0.9"})
			}
		}
	}
	if faults != nil {
		return n, fault.Bad("The run is not valid", faults...)
	}
	return n, nil
}

// levelName and allocationWords put codes of runs into words.
func levelName(level string) string {
	for _, l := range mergeLevels {
		if l.Value == level {
			return l.Label
		}
	}
	return sayWord(level)
}

func allocationWords(code string) string {
	switch code {
	case mergepurge.Hierarchy:
		return "a name on several lists goes to the one of best rank"
	case mergepurge.Random:
		return "lots decide between lists"
	case mergepurge.RandomWithinHierarchy:
		return "a name on several lists goes to the one of best rank, by lot between equals"
	}
	return sayWord(code)
}

// shortFloat writes a threshold for people.
func shortFloat(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
