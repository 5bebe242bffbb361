package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/internal/fault"
)

// startImport reads its body as a stream: a file may be larger than memory.
type startImport struct {
	Kind string `query:"kind" enum:"customers,orders" required:"true"`
	List string `query:"list" doc:"The list that the customers join, by name; made where it does not exist."`
	Map  string `query:"map" doc:"Column to field where the header does not tell: a JSON object, or column=field,column=field. An empty field leaves the column out."`
	Name string `query:"name" doc:"The file's name, to recognise it by."`

	DryRun           bool `query:"dry_run" doc:"Change nothing: the import tells what it would do, and begins in earnest with POST /imports/{id}/start, within a day."`
	SearchDuplicates bool `query:"search_duplicates" doc:"Look for duplicates in the house file afterwards."`

	upload upload
}

type upload struct {
	body   io.Reader
	length int64
}

// Resolve takes the raw body of the request.
func (s *startImport) Resolve(c huma.Context) []error {
	e := humaecho.Unwrap(c)
	s.upload = upload{e.Request().Body, e.Request().ContentLength}
	return nil
}

// importing is an import as it is told here: a row that brings nothing new is a duplicate, be it of a row before it or of
// what was known.
type importing struct {
	customers.Import
	Duplicates int64 `json:"duplicates" doc:"Rows that brought nothing new."`
	Unchanged  int64 `json:"unchanged" doc:"Those of the duplicates that were known before this file."`
}

func told(i customers.Import, err error) (importing, error) {
	return importing{i, i.Duplicates + i.Unchanged, i.Unchanged}, err
}

func (a *API) imports() {
	const tag = "Imports"
	o := op{id: "startImport", method: http.MethodPost, path: "/imports", summary: "Import a CSV file", tag: tag, need: access.CustomersWrite, status: http.StatusAccepted,
		doc: "The file is the body, as it is: UTF-8 or CP-1252, any delimiter, with a header line. It is stored and imported in the background; " +
			"ask GET /imports/{id} how far it is. The same file twice changes nothing.", upload: true}
	add(a, o, func(ctx context.Context, in *startImport) (importing, error) {
		mapping, err := readMapping(in.Map)
		if err != nil {
			return importing{}, err
		}
		if in.upload.length == 0 {
			return importing{}, fault.Bad("The body is empty: send the CSV file as it is")
		}
		if in.Name == "" {
			in.Name = in.Kind + ".csv"
		}
		return told(a.Customers.StartImport(ctx, customers.StartImport{Kind: in.Kind, FileName: in.Name, List: in.List, Mapping: mapping,
			DryRun: in.DryRun, SearchDuplicates: in.SearchDuplicates, Body: http.MaxBytesReader(nil, io.NopCloser(in.upload.body), a.MaxImport)}))
	})
	type list struct {
		Limits
		After int64 `query:"after"`
	}
	add(a, op{id: "listImports", method: http.MethodGet, path: "/imports", summary: "Imports, newest first", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *list) (page[importing], error) {
			list, err := a.Customers.Imports(ctx, in.After, in.Limit)
			var out []importing
			for _, i := range list {
				shown, _ := told(i, nil)
				out = append(out, shown)
			}
			return cut(out, in.Limit, func(i importing) any { return i.ID }), err
		})
	add(a, op{id: "getImport", method: http.MethodGet, path: "/imports/{id}", summary: "How far an import is", tag: tag, need: access.CustomersRead,
		doc: "rows = created + updated + duplicates + rejected. It has ended when state is finished, failed or cancelled."},
		func(ctx context.Context, in *One) (importing, error) { return told(a.Customers.Import(ctx, in.ID)) })
	add(a, op{id: "startImportNow", method: http.MethodPost, path: "/imports/{id}/start", summary: "Import in earnest what a dry run has read", tag: tag,
		need: access.CustomersWrite, status: http.StatusAccepted},
		func(ctx context.Context, in *One) (importing, error) {
			return told(a.Customers.ImportNow(ctx, in.ID, false))
		})
	add(a, op{id: "cancelImport", method: http.MethodPost, path: "/imports/{id}/cancel", summary: "Stop an import; rows done stay. Throw away a dry run", tag: tag, need: access.CustomersWrite},
		func(ctx context.Context, in *One) (importing, error) {
			if err := a.Customers.Cancel(ctx, in.ID); err != nil {
				return importing{}, err
			}
			return told(a.Customers.Import(ctx, in.ID))
		})
	download(a, op{id: "importRejects", method: http.MethodGet, path: "/imports/{id}/rejects", summary: "Rejected rows with line and reason, as CSV", tag: tag, need: access.CustomersWrite},
		[]string{"text/csv"}, func(ctx context.Context, in *One) (file, error) {
			if _, err := a.Customers.Import(ctx, in.ID); err != nil {
				return file{}, err
			}
			return file{Type: "text/csv; charset=utf-8", Name: fmt.Sprintf("import-%d-rejects.csv", in.ID),
				Write: func(w io.Writer) error { return a.Customers.WriteRejects(ctx, in.ID, w) }}, nil
		})
}

// readMapping reads either form of the parameter map.
func readMapping(s string) (map[string]string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, nil
	}
	out := map[string]string{}
	if strings.HasPrefix(s, "{") {
		if err := json.Unmarshal([]byte(s), &out); err != nil {
			return nil, fault.BadField("map", "This is not a JSON object of column to field: %s", decoding(err.Error()))
		}
		return out, nil
	}
	for _, pair := range strings.Split(s, ",") {
		column, field, found := strings.Cut(pair, "=")
		if column = strings.TrimSpace(column); !found || column == "" {
			return nil, fault.BadField("map", "%q is not of the form column=field", pair)
		}
		out[column] = strings.TrimSpace(field)
	}
	return out, nil
}
