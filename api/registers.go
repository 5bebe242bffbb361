package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/internal/fault"
)

// fileBody is the raw body of a request, read as a stream.
type fileBody struct {
	Name   string `query:"name" doc:"The file's name, to recognise it by."`
	Column string `query:"column" doc:"The column with the values, where its header does not tell."`

	upload upload
}

// Resolve takes the raw body of the request.
func (f *fileBody) Resolve(c huma.Context) []error {
	r := humaecho.Unwrap(c).Request()
	f.upload = upload{r.Body, r.ContentLength}
	return nil
}

// open gives the body, at most as long as an upload may be.
func (f *fileBody) open(limit int64, name string) (io.Reader, error) {
	if f.upload.length == 0 {
		return nil, fault.Bad("The body is empty: send the file as it is")
	}
	if f.Name == "" {
		f.Name = name
	}
	return http.MaxBytesReader(nil, io.NopCloser(f.upload.body), limit), nil
}

// dayParam reads a day that need not be given.
func dayParam(name, text string) (*time.Time, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // not given
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return nil, fault.BadField(name, "%q is not a day: write it as 2026-01-31", text)
	}
	return &at, nil
}

type loadSuppressions struct {
	fileBody
	Scope     string `query:"scope" enum:"customer,household,address,phone,email,domain" required:"true"`
	Channel   string `query:"channel" enum:"email,sms,post,calls,all" default:"all"`
	Reason    string `query:"reason" required:"true"`
	Source    string `query:"source"`
	Effective string `query:"effective" doc:"From which day the entries hold; at once where it is not given." example:"2026-01-31"`
	Expires   string `query:"expires" doc:"Until which day; for ever where it is not given."`
}

func (a *API) suppressionFiles() {
	add(a, op{id: "loadSuppressions", method: http.MethodPost, path: "/suppressions/files", summary: "Load a file of suppressions", tag: "Suppression",
		need: access.CustomersWrite, status: http.StatusAccepted, upload: true,
		doc: "The file is the body: CSV with a header line. Columns channel, reason, source, received, effective and expires come before the parameters. " +
			"It is loaded in the background; ask GET /imports/{id} how far it is."},
		func(ctx context.Context, in *loadSuppressions) (importing, error) {
			body, err := in.open(a.MaxImport, "suppressions.csv")
			if err != nil {
				return importing{}, err
			}
			start := customers.StartSuppressions{Suppression: customers.Suppression{Scope: in.Scope, Channel: in.Channel, Reason: in.Reason, Source: in.Source},
				FileName: in.Name, Column: in.Column, Body: body}
			if start.EffectiveAt, err = dayParam("effective", in.Effective); err != nil {
				return importing{}, err
			}
			if start.ExpiresAt, err = dayParam("expires", in.Expires); err != nil {
				return importing{}, err
			}
			return told(a.Customers.StartSuppressions(ctx, start))
		})
}

// registerInput is a register to save.
type registerInput struct {
	Name           string `json:"name" example:"National Do Not Call"`
	Country        string `json:"country" example:"US" doc:"Its numbers are the register's business."`
	Channel        string `json:"channel" enum:"calls,sms" default:"calls"`
	MaxAgeDays     int    `json:"max_age_days" doc:"How old the file may be on the day of the call; 0: 31, in the United Kingdom 28."`
	Required       *bool  `json:"required" doc:"Without a file young enough nobody is called; true where it is not given."`
	ConsentExempts *bool  `json:"consent_exempts" doc:"A recorded yes comes before the register; true where it is not given."`
	RelationMonths int    `json:"relation_months" doc:"An order within so many months comes before the register; 0: none does."`
}

func orTrue(p *bool) bool { return p == nil || *p }

type loadRegister struct {
	One
	fileBody
	Date string `query:"date" required:"true" doc:"From which day the file is; its age counts from then." example:"2026-01-31"`
}

func (a *API) registers() {
	const tag = "Do-not-call registers"
	add(a, op{id: "listRegisters", method: http.MethodGet, path: "/registers", summary: "Registers with the age of their files", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, _ *none) (page[customers.Register], error) {
			list, err := a.Customers.Registers(ctx)
			return paged(list, nil), err
		})
	add(a, op{id: "saveRegister", method: http.MethodPut, path: "/registers", summary: "Add or change a register, by name", tag: tag, need: access.CustomersWrite,
		doc: "While a register that is required has no file young enough, calls to its country's numbers wait, but for those with a recorded yes or a recent order."},
		func(ctx context.Context, in *body[registerInput]) (customers.Register, error) {
			b := in.Body
			return a.Customers.SaveRegister(ctx, customers.Register{Name: b.Name, Country: b.Country, Channel: b.Channel, MaxAgeDays: b.MaxAgeDays,
				Required: orTrue(b.Required), ConsentExempts: orTrue(b.ConsentExempts), RelationMonths: b.RelationMonths})
		})
	add(a, op{id: "loadRegister", method: http.MethodPost, path: "/registers/{id}/files", summary: "Load all numbers of a register", tag: tag,
		need: access.CustomersWrite, status: http.StatusAccepted, upload: true,
		doc: "The file is the body: a number on each line, or CSV. It replaces the numbers in use once all are loaded; ask GET /imports/{id} how far it is."},
		func(ctx context.Context, in *loadRegister) (importing, error) {
			body, err := in.open(a.MaxImport, "register.csv")
			if err != nil {
				return importing{}, err
			}
			day, err := dayParam("date", in.Date)
			if err != nil {
				return importing{}, err
			}
			if day == nil {
				day = &time.Time{}
			}
			return told(a.Customers.LoadRegister(ctx, customers.LoadRegister{RegisterID: in.ID, ScrubbedOn: *day, FileName: in.Name, Column: in.Column, Body: body}))
		})
	act(a, op{id: "deleteRegister", method: http.MethodDelete, path: "/registers/{id}", summary: "Remove a register", tag: tag, need: access.CustomersWrite},
		func(ctx context.Context, in *One) error { return a.Customers.DeleteRegister(ctx, in.ID) })
}

// privacy are the rights of one person: to see everything, and to be forgotten.
func (a *API) privacy() {
	const tag = "Customers"
	download(a, op{id: "exportCustomer", method: http.MethodGet, path: "/customers/{id}/export", summary: "Everything that is stored of a customer", tag: tag,
		need: access.CustomersWrite, doc: "Facts, attributes, consents with proof, lists, suppressions, orders, contacts, responses, calls and merges, as one JSON object."},
		[]string{"application/json"}, func(ctx context.Context, in *One) (file, error) {
			c, err := a.Customers.Get(ctx, in.ID)
			return file{Type: "application/json", Name: fmt.Sprintf("customer-%d.json", c.ID),
				Write: func(w io.Writer) error { return a.Customers.Export(ctx, in.ID, w) }}, err
		})
	add(a, op{id: "previewErasure", method: http.MethodGet, path: "/customers/{id}/erasure", summary: "What erasing a customer will touch", tag: tag, need: access.CustomersWrite},
		func(ctx context.Context, in *One) (customers.ErasePreview, error) {
			return a.Customers.ErasePreview(ctx, in.ID)
		})
	act(a, op{id: "liftErasure", method: http.MethodPost, path: "/erasures/lift", summary: "Let somebody come in again who was erased", tag: tag, need: access.Administer,
		doc: "One thing that the person is recognised by: external_id, email, phone with name, or name with address."},
		func(ctx context.Context, in *body[customers.Fields]) error {
			_, err := a.Customers.LiftErasure(ctx, in.Body)
			return err
		})
}

// uploads tells whether a file is posted to the route.
func uploads(route string) bool {
	switch strings.TrimPrefix(route, base) {
	case "/imports", "/suppressions/files", "/registers/:id/files":
		return true
	}
	return false
}
