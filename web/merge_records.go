package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/customers/mergepurge"
)

type mergeRecordsPage struct {
	frame
	Run               mergepurge.Run
	Input             int
	Verdict, Reason   string
	Verdicts, Reasons []option
	Records           []mergeRecord
	First, Next       string
}

// mergeRecord is a record in words.
type mergeRecord struct {
	mergepurge.Record
	Address    string
	Words      string
	WinnerPath string
	WinnerName string
}

var (
	mergeRecordsView = pageView[mergeRecordsPage]("merge-records")

	mergeVerdicts = []option{{"", "anything"}, {mergepurge.Net, "net name"}, {mergepurge.Duplicate, "duplicate"}, {mergepurge.Suppressed, "suppressed"},
		{mergepurge.Rejected, "rejected"}}
)

func (p *Pages) mergeRecords(c echo.Context) error {
	run, err := p.mergeParam(c)
	if err != nil {
		return err
	}
	page := mergeRecordsPage{frame: p.frame(c, customersPlace, "Records"), Run: run, Verdicts: mergeVerdicts, Verdict: c.QueryParam("verdict"), Reason: c.QueryParam("reason")}
	page.Input, _ = strconv.Atoi(c.QueryParam("input"))
	page.Reasons = recordReasons(run)
	after, _ := strconv.ParseInt(c.QueryParam("after"), 10, 64)
	list, err := p.MergePurge.Records(ctx(c), run.ID, mergepurge.Filter{Input: page.Input, Verdict: page.Verdict, Reason: page.Reason}, after, rowsPerPage+1)
	if err != nil {
		return err
	}
	query := url.Values{}
	for _, name := range []string{"input", "verdict", "reason"} {
		if v := c.QueryParam(name); v != "" {
			query.Set(name, v)
		}
	}
	base := mergePath(run) + "/records?"
	if after > 0 {
		page.First = base + query.Encode()
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		query.Set("after", number64(list[rowsPerPage-1].No))
		page.Next = base + query.Encode()
	}
	for _, r := range list {
		page.Records = append(page.Records, recordInWords(r))
	}
	return show(p, c, mergeRecordsView, page)
}

// recordReasons are the reasons that can be asked for: kinds of duplicates, and what suppressed somebody in this run.
func recordReasons(run mergepurge.Run) []option {
	out := []option{{"", "any reason"}, {mergepurge.Intra, "twice in the list"}, {mergepurge.Inter, "another list has it"}, {mergepurge.HouseMatch, "the house file has it"}}
	if run.Level != mergepurge.Person {
		of := " (" + run.Level + ")"
		for _, o := range out[1:] {
			out = append(out, option{o.Value + of, o.Label + ", same " + strings.ToLower(levelName(run.Level))})
		}
	}
	if run.Report == nil {
		return out
	}
	var by []string
	for _, in := range run.Report.Inputs {
		for reason := range in.SuppressedBy {
			if !slices.Contains(by, reason) {
				by = append(by, reason)
			}
		}
	}
	slices.Sort(by)
	for _, reason := range by {
		out = append(out, option{reason, "suppressed: " + sayWord(reason)})
	}
	return out
}

func recordInWords(r mergepurge.Record) mergeRecord {
	m := mergeRecord{Record: r}
	street := strings.TrimSpace(r.Fields["street_number"] + " " + r.Fields["street"])
	var parts []string
	for _, s := range []string{street, strings.TrimSpace(r.Fields["postal_code"] + " " + r.Fields["city"])} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	m.Address = strings.Join(parts, ", ")
	reason, level, byLevel := strings.Cut(strings.TrimSuffix(r.Reason, ")"), " (")
	switch r.Verdict {
	case mergepurge.Net:
		m.Words = "net name"
	case mergepurge.Rejected:
		m.Words = "rejected: " + r.Reason
	case mergepurge.Suppressed:
		m.Words = "suppressed: " + sayWord(r.Reason)
		if r.Winner != nil {
			m.Words += ", by"
		}
	case mergepurge.Duplicate:
		switch reason {
		case mergepurge.Intra:
			m.Words = "twice in the list"
		case mergepurge.Inter:
			m.Words = "another list has it"
		case mergepurge.HouseMatch:
			m.Words = "the house file has it"
		default:
			m.Words = "duplicate: " + sayWord(reason)
		}
		if byLevel {
			m.Words += ", same " + strings.ToLower(levelName(level))
		}
		if r.Winner != nil {
			m.Words += "; kept is"
		}
	default:
		m.Words = "takes others out"
	}
	if w := r.Winner; w != nil {
		m.WinnerName = w.Name
		if w.InputName != r.InputName || w.Line > 0 {
			where := w.InputName
			if w.Line > 0 {
				where += ", line " + number(w.Line)
			}
			m.WinnerName = strings.TrimSpace(m.WinnerName + " (" + where + ")")
		}
		if w.CustomerID > 0 {
			m.WinnerPath = "/customers/" + number64(w.CustomerID)
		}
	}
	return m
}

// previewVerdict puts the verdict on a row of a preview into words.
func previewVerdict(v string) string {
	if v == "" || v == "taken" {
		return "is taken"
	}
	return v
}
