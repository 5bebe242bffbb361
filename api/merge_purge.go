package api

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/govalues/decimal"

	"aldine/customers/mergepurge"
	"aldine/internal/access"
	"aldine/internal/fault"
)

// mergeInputs is the path to which the files of a run are sent, as the router writes it.
const mergeInputs = "/merge-runs/:id/inputs"

// addMergeInput reads a file as a stream, like startImport.
type addMergeInput struct {
	One
	Kind       string `query:"kind" enum:"house,rented,suppression" required:"true"`
	Name       string `query:"name" doc:"Of a rented list: the list by its name, which may be new. Of a suppression file: what the report calls it."`
	Priority   int    `query:"priority" minimum:"1" doc:"Among rented lists, 1 wins; equal ones draw lots. After all others where left out."`
	Expression string `query:"expression" doc:"Of the house file: which customers take part; all where left out."`
	FileName   string `query:"file_name" doc:"To recognise the file by."`
	Map        string `query:"map" doc:"Column to field where the header does not tell: a JSON object, or column=field,column=field. An empty field leaves the column out."`
	Price      string `query:"price_per_thousand" doc:"Deal of a rented list that is new, or whose deal changes: what a thousand names cost."`
	Currency   string `query:"currency" doc:"Of the deal, ISO 4217."`
	NetShare   string `query:"net_share" doc:"Of the deal: 0.85 means that at least 85 % of the names delivered are paid for." example:"0.85"`
	Running    string `query:"running_charge" doc:"Of the deal: per thousand names that are not paid for."`
	Extra      string `query:"extra_per_thousand" doc:"Of the deal: selection and delivery, per thousand names delivered."`
	Gross      int64  `query:"gross" minimum:"0" doc:"Of the deal: names delivered; the rows of the file where left out."`
	Uses       int    `query:"uses" minimum:"1" maximum:"1000" doc:"Of the deal: campaigns that each name may be used in; 1 where left out."`
	MailBy     string `query:"mail_by" doc:"Of the deal: last day of use, as 2027-03-31."`

	upload upload
}

// Resolve takes the raw body of the request.
func (in *addMergeInput) Resolve(c huma.Context) []error {
	e := humaecho.Unwrap(c)
	in.upload = upload{e.Request().Body, e.Request().ContentLength}
	return nil
}

// deal gives what is said of the deal, nil where nothing is.
func (in *addMergeInput) deal() (*mergepurge.Deal, error) {
	if in.Price == "" && in.Currency == "" && in.NetShare == "" && in.Running == "" && in.Extra == "" && in.Gross == 0 && in.Uses == 0 && in.MailBy == "" {
		return nil, nil
	}
	d := mergepurge.Deal{NetShare: decimal.One, Currency: in.Currency, Gross: in.Gross, Uses: in.Uses, MailBy: in.MailBy}
	var faults []fault.Field
	for _, f := range []struct {
		name, value string
		to          *decimal.Decimal
	}{{"price_per_thousand", in.Price, &d.PricePerThousand}, {"net_share", in.NetShare, &d.NetShare}, {"running_charge", in.Running, &d.RunningCharge},
		{"extra_per_thousand", in.Extra, &d.ExtraPerThousand}} {
		if f.value == "" {
			continue
		}
		var err error
		if *f.to, err = decimal.Parse(f.value); err != nil {
			faults = append(faults, fault.Field{Name: f.name, Message: "Write a decimal number such as 95.50"})
		}
	}
	if faults != nil {
		return nil, fault.Bad("The deal is not valid", faults...)
	}
	return &d, nil
}

func (a *API) mergePurge() {
	const tag = "Merge/purge"
	add(a, op{id: "createMergeRun", method: http.MethodPost, path: "/merge-runs", summary: "Begin a merge/purge run", tag: tag, need: access.CustomersWrite, status: http.StatusCreated,
		doc: "A run joins the house file, rented lists and suppression files, takes out duplicates and those who are suppressed, and reports for each list. It is a draft until it is started, " +
			"and changes nothing outside itself until it is applied."},
		func(ctx context.Context, in *body[mergepurge.NewRun]) (mergepurge.Run, error) {
			return a.MergePurge.Create(ctx, in.Body)
		})
	type list struct {
		Limits
		After int64 `query:"after"`
	}
	add(a, op{id: "listMergeRuns", method: http.MethodGet, path: "/merge-runs", summary: "Runs without their reports, newest first", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *list) (page[mergepurge.Run], error) {
			runs, err := a.MergePurge.Runs(ctx, in.After, in.Limit)
			return cut(runs, in.Limit, func(r mergepurge.Run) any { return r.ID }), err
		})
	add(a, op{id: "getMergeRun", method: http.MethodGet, path: "/merge-runs/{id}", summary: "One run: how far it is, its lists, its report", tag: tag, need: access.CustomersRead,
		doc: "For each list, input = rejected + suppressed + intra_duplicates + inter_duplicates + house_matches + net. It has ended when state is finished, applied, failed or cancelled."},
		func(ctx context.Context, in *One) (mergepurge.Run, error) { return a.MergePurge.Run(ctx, in.ID) })
	act(a, op{id: "deleteMergeRun", method: http.MethodDelete, path: "/merge-runs/{id}", summary: "Delete a run that was not applied, with its files", tag: tag, need: access.CustomersWrite},
		func(ctx context.Context, in *One) error { return a.MergePurge.Delete(ctx, in.ID) })
	a.mergePurgeInputs(tag)
	for _, step := range []struct {
		name, summary, doc string
		do                 func(ctx context.Context, id int64) (mergepurge.Run, error)
	}{
		{"start", "Run it; nothing changes", "The report comes with GET /merge-runs/{id} when the state is finished.", a.MergePurge.Start},
		{"apply", "Make the list of net names", "Makes a list with the run's name, for in_list(\"name\") in expressions; rented names in it are customers who are no part of the house file. Nothing is mailed.", a.MergePurge.Apply},
		{"cancel", "Stop it", "A run that is being applied goes back to finished; any other is cancelled for good.", func(ctx context.Context, id int64) (mergepurge.Run, error) {
			if err := a.MergePurge.Cancel(ctx, id); err != nil {
				return mergepurge.Run{}, err
			}
			return a.MergePurge.Run(ctx, id)
		}},
	} {
		add(a, op{id: step.name + "MergeRun", method: http.MethodPost, path: "/merge-runs/{id}/" + step.name, summary: step.summary, doc: step.doc, tag: tag, need: access.CustomersWrite,
			status: http.StatusAccepted}, func(ctx context.Context, in *One) (mergepurge.Run, error) { return step.do(ctx, in.ID) })
	}
	a.mergePurgeResults(tag)
}

// OneMergeInput is the input of an operation on one list of a run.
type OneMergeInput struct {
	One
	No int `path:"no" minimum:"1"`
}

func (a *API) mergePurgeInputs(tag string) {
	add(a, op{id: "addMergeInput", method: http.MethodPost, path: "/merge-runs/{id}/inputs", summary: "Add the house file, a rented list or a suppression file", tag: tag,
		need: access.CustomersWrite, status: http.StatusCreated, upload: true,
		doc: "A file is the body, as it is: UTF-8 or CP-1252, any delimiter, with a header line. The house file has no body. Say how the columns are read with map; GET .../preview shows it."},
		func(ctx context.Context, in *addMergeInput) (mergepurge.Input, error) {
			mapping, err := readMapping(in.Map)
			if err != nil {
				return mergepurge.Input{}, err
			}
			n := mergepurge.NewInput{Kind: in.Kind, Name: in.Name, Priority: in.Priority, Expression: in.Expression, FileName: in.FileName, Mapping: mapping}
			if in.Kind != mergepurge.House {
				if in.upload.length == 0 {
					return mergepurge.Input{}, fault.Bad("The body is empty: send the CSV file as it is")
				}
				if n.FileName == "" {
					n.FileName = in.Kind + ".csv"
				}
				if in.Kind == mergepurge.Rented {
					if n.Deal, err = in.deal(); err != nil {
						return mergepurge.Input{}, err
					}
				}
				n.Body = http.MaxBytesReader(nil, io.NopCloser(in.upload.body), a.MaxImport)
			}
			return a.MergePurge.AddInput(ctx, in.ID, n)
		})
	type change struct {
		OneMergeInput
		Body struct {
			Mapping  map[string]string `json:"mapping" doc:"Column to field; an empty field leaves the column out. Left out, the columns stay."`
			Priority int               `json:"priority" minimum:"0" doc:"Left out, it stays."`
		}
	}
	add(a, op{id: "changeMergeInput", method: http.MethodPatch, path: "/merge-runs/{id}/inputs/{no}", summary: "Change the columns or the priority of a list", tag: tag, need: access.CustomersWrite},
		func(ctx context.Context, in *change) (mergepurge.Input, error) {
			return a.MergePurge.SetInput(ctx, in.ID, in.No, in.Body.Mapping, in.Body.Priority)
		})
	act(a, op{id: "removeMergeInput", method: http.MethodDelete, path: "/merge-runs/{id}/inputs/{no}", summary: "Take a list out of a run", tag: tag, need: access.CustomersWrite},
		func(ctx context.Context, in *OneMergeInput) error { return a.MergePurge.RemoveInput(ctx, in.ID, in.No) })
	type preview struct {
		OneMergeInput
		Rows int `query:"rows" minimum:"1" maximum:"200" default:"10"`
	}
	add(a, op{id: "previewMergeInput", method: http.MethodGet, path: "/merge-runs/{id}/inputs/{no}/preview", summary: "First rows of a file, as they are compared, with a verdict each", tag: tag,
		need: access.CustomersRead}, func(ctx context.Context, in *preview) (mergepurge.Preview, error) {
		return a.MergePurge.Preview(ctx, in.ID, in.No, in.Rows)
	})
}

func (a *API) mergePurgeResults(tag string) {
	type records struct {
		One
		Limits
		After   int64  `query:"after"`
		Input   int    `query:"input" minimum:"0" doc:"Only of the list with this number."`
		Verdict string `query:"verdict" enum:"net,rejected,suppressed,duplicate"`
		Reason  string `query:"reason" doc:"intra, inter, house, or what the report names under suppressed_by."`
	}
	add(a, op{id: "listMergeRecords", method: http.MethodGet, path: "/merge-runs/{id}/records", summary: "Every record with what became of it, and whom it lost to", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *records) (page[mergepurge.Record], error) {
			if _, err := a.MergePurge.Run(ctx, in.ID); err != nil {
				return page[mergepurge.Record]{}, err
			}
			list, err := a.MergePurge.Records(ctx, in.ID, mergepurge.Filter{Input: in.Input, Verdict: in.Verdict, Reason: in.Reason}, in.After, in.Limit)
			return cut(list, in.Limit, func(r mergepurge.Record) any { return r.No }), err
		})
	withReport := func(ctx context.Context, id int64) (mergepurge.Run, error) {
		run, err := a.MergePurge.Run(ctx, id)
		if err == nil && run.Report == nil {
			err = fault.New(fault.Conflict, "The run has no report yet: it is %s", run.State)
		}
		return run, err
	}
	const sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	download(a, op{id: "mergeReportXLSX", method: http.MethodGet, path: "/merge-runs/{id}/report.xlsx", summary: "The report as a workbook", tag: tag, need: access.CustomersRead},
		[]string{sheet}, func(ctx context.Context, in *One) (file, error) {
			if _, err := withReport(ctx, in.ID); err != nil {
				return file{}, err
			}
			return file{Type: sheet, Name: fmt.Sprintf("merge-purge-%d.xlsx", in.ID), Write: func(w io.Writer) error { return a.MergePurge.WriteXLSX(ctx, in.ID, w) }}, nil
		})
	add(a, op{id: "mergeReport", method: http.MethodGet, path: "/merge-runs/{id}/report", summary: "The report alone", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *One) (mergepurge.Report, error) {
			run, err := withReport(ctx, in.ID)
			if err != nil {
				return mergepurge.Report{}, err
			}
			return *run.Report, nil
		})
	download(a, op{id: "mergeNetNames", method: http.MethodGet, path: "/merge-runs/{id}/net.csv", summary: "The net names as CSV", tag: tag, need: access.CustomersWrite},
		[]string{"text/csv"}, func(ctx context.Context, in *One) (file, error) {
			if _, err := withReport(ctx, in.ID); err != nil {
				return file{}, err
			}
			return file{Type: "text/csv; charset=utf-8", Name: fmt.Sprintf("net-names-%d.csv", in.ID),
				Write: func(w io.Writer) error { return a.MergePurge.WriteNet(ctx, in.ID, w) }}, nil
		})
}
