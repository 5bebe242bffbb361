package api

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"aldine/internal/access"
	"aldine/internal/fault"
)

// op is what an operation says of itself.
type op struct {
	id      string // operationId: "listCustomers"
	method  string
	path    string // below /api/v1
	summary string
	doc     string
	tag     string
	need    access.Permission
	status  int    // 0: 200, or 204 without a body
	upload  bool   // the body is a file, read as a stream
	media   string // of that file; "": text/csv
	loose   bool   // the body is read by its own type, not checked against the schema first
}

// output is an answer with a body.
type output[B any] struct{ Body B }

// none is the input of an operation without parameters, or the answer without a body.
type none struct{}

// page is one page of a list.
type page[T any] struct {
	Items []T `json:"items"`
	Next  any `json:"next,omitempty" doc:"Value of after for the next page; absent on the last one."`
}

// paged makes a page; next is left out where it is empty.
func paged[T any](items []T, next any) page[T] {
	if items == nil {
		items = []T{}
	}
	switch n := next.(type) {
	case int64:
		if n == 0 {
			next = nil
		}
	case string:
		if n == "" {
			next = nil
		}
	}
	return page[T]{Items: items, Next: next}
}

// cut makes a page from a list that was read with limit rows: a full page may have a next one, named by key.
func cut[T any](items []T, limit int, key func(T) any) page[T] {
	if len(items) == 0 || len(items) < limit {
		return paged(items, nil)
	}
	return paged(items, key(items[len(items)-1]))
}

// One is the input of an operation on one thing.
type One struct {
	ID int64 `path:"id" minimum:"1"`
}

// with is the input of an operation on one thing with a body.
type with[B any] struct {
	One
	Body B
}

// body is the input of an operation with a body alone.
type body[B any] struct{ Body B }

// Limits are the parameters of a list.
type Limits struct {
	Limit int `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// add registers an operation that answers with a body.
func add[I, B any](a *API, o op, handle func(ctx context.Context, in *I) (B, error)) {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	huma.Register(a.huma, a.operation(o), func(ctx context.Context, in *I) (*output[B], error) {
		b, err := handle(ctx, in)
		if err != nil {
			return nil, a.refuse(ctx, o, err)
		}
		return &output[B]{Body: b}, nil
	})
}

// act registers an operation that answers with no body.
func act[I any](a *API, o op, handle func(ctx context.Context, in *I) error) {
	o.status = http.StatusNoContent
	huma.Register(a.huma, a.operation(o), func(ctx context.Context, in *I) (*none, error) {
		if err := handle(ctx, in); err != nil {
			return nil, a.refuse(ctx, o, err)
		}
		return nil, nil
	})
}

// file is an answer that is written as a stream. Write may fail only in ways that break off the answer.
type file struct {
	Type  string // media type
	Name  string // for saving; "" shows it
	Write func(w io.Writer) error
}

// download registers an operation that answers with a file. types are its possible media types.
func download[I any](a *API, o op, types []string, open func(ctx context.Context, in *I) (file, error)) {
	o.status = http.StatusOK
	h := a.operation(o)
	content := map[string]*huma.MediaType{}
	for _, t := range types {
		content[t] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
		if t == "application/json" {
			content[t].Schema = &huma.Schema{Type: "object"}
		}
	}
	h.Responses = map[string]*huma.Response{"200": {Description: "The file", Content: content}}
	h.Errors = []int{http.StatusForbidden, http.StatusNotFound}
	huma.Register(a.huma, h, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		f, err := open(ctx, in)
		if err != nil {
			return nil, a.refuse(ctx, o, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			c.SetHeader("Content-Type", f.Type)
			if f.Name != "" {
				c.SetHeader("Content-Disposition", `attachment; filename="`+unsafeName.ReplaceAllString(f.Name, "_")+`"`)
			}
			c.SetStatus(http.StatusOK)
			if err := f.Write(c.BodyWriter()); err != nil {
				a.Log.WarnContext(ctx, "download broke off", "operation", o.id, "error", err)
				panic(http.ErrAbortHandler) // a half file must not look whole
			}
		}}, nil
	})
}

var unsafeName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// routePath writes a path as the router does.
var routePath = strings.NewReplacer("{", ":", "}", "")

func (a *API) operation(o op) huma.Operation {
	a.ops = append(a.ops, o)
	a.needs[o.method+" "+base+routePath.Replace(o.path)] = o.need
	h := huma.Operation{OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, Description: o.doc, Tags: []string{o.tag},
		DefaultStatus: o.status, MaxBodyBytes: maxBody + 1, SkipValidateBody: o.loose,
		Extensions: map[string]any{"x-permission": string(o.need)}, Middlewares: huma.Middlewares{a.permit(o)}}
	if o.upload {
		media := o.media
		if media == "" {
			media = "text/csv"
		}
		h.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			media: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}
	}
	if writes(o.method) {
		h.Parameters = append(h.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header",
			Description: "A text of your choice that makes repeating this request safe for a day.", Schema: &huma.Schema{Type: "string"}})
	}
	return h
}

// permit refuses before anything of the request is read.
func (a *API) permit(o op) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		if err := access.Require(c.Context(), o.need); err != nil {
			writeProblem(humaecho.Unwrap(c), a.problem(c.Context(), o.method, o.path, requestOf(c.Context()), err))
			return
		}
		e := humaecho.Unwrap(c)
		for name, values := range e.QueryParams() {
			for _, v := range values {
				if strings.IndexByte(v, 0) >= 0 || !utf8.ValidString(v) {
					writeProblem(e, a.problem(c.Context(), o.method, o.path, requestOf(c.Context()), fault.BadField(strings.ToValidUTF8(name, "?"), "holds a character that no text has")))
					return
				}
			}
		}
		next(c)
	}
}

func writes(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// refuse turns an error into the answer. The framework passes problems on as they are.
func (a *API) refuse(ctx context.Context, o op, err error) error {
	return a.problem(ctx, o.method, o.path, requestOf(ctx), err)
}

// requestInfo is what the steps of one request tell each other.
type requestInfo struct {
	id     string
	secret bool // the answer holds a secret and must not be stored
}

type infoKey struct{}

func infoOf(ctx context.Context) *requestInfo {
	info, _ := ctx.Value(infoKey{}).(*requestInfo)
	return info
}

// requestOf gives the id of the request that ctx belongs to.
func requestOf(ctx context.Context) string {
	if info := infoOf(ctx); info != nil {
		return info.id
	}
	return ""
}

// holdsSecret keeps the answer from being stored with its idempotency key.
func holdsSecret(ctx context.Context) {
	if info := infoOf(ctx); info != nil {
		info.secret = true
	}
}
