package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aldine/internal/fault"
)

// oneOrMany reads a single object or an array of them. The reader keeps what is wrong with them, by field, for take.
type oneOrMany[T any] struct {
	items  []T
	single bool
	faults []fault.Field
}

// UnmarshalJSON reads either form and refuses unknown fields.
func (l *oneOrMany[T]) UnmarshalJSON(data []byte) error {
	if !strings.HasPrefix(strings.TrimLeft(string(data), " \t\r\n"), "[") {
		l.single = true
		l.read(data, "")
		return nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	for i, raw := range list {
		if len(l.faults) >= maxFaults {
			break
		}
		l.read(raw, fmt.Sprintf("[%d].", i))
	}
	return nil
}

// maxFaults is about how many faults of a list are told: who sends a million numbers need not hear of each.
const maxFaults = 100

func (l *oneOrMany[T]) read(raw json.RawMessage, prefix string) {
	var item T
	if err := strictly(raw, &item); err != nil {
		l.faults = append(l.faults, faultyFields[T](raw, prefix, err)...)
	}
	l.items = append(l.items, item)
}

// take gives the items, at least one, or an Invalid error that names the faulty fields.
func (l *oneOrMany[T]) take(what string) ([]T, error) {
	switch {
	case l.faults != nil:
		return nil, fault.Bad("The input is not valid", l.faults...)
	case len(l.items) == 0:
		return nil, fault.Bad("There is no " + what + " in the body")
	}
	return l.items, nil
}

// fault names the field of an item that a reason of the form "field: what is wrong" is about.
func (l *oneOrMany[T]) fault(i int, reason string) fault.Field {
	name, message, found := strings.Cut(reason, ": ")
	if !found || strings.ContainsRune(name, ' ') {
		name, message = "body", reason
	}
	if !l.single {
		name = fmt.Sprintf("[%d].%s", i, name)
	}
	return fault.Field{Name: name, Message: message}
}

// Schema describes both forms.
func (oneOrMany[T]) Schema(r huma.Registry) *huma.Schema {
	one := r.Schema(reflect.TypeFor[T](), true, "")
	return &huma.Schema{OneOf: []*huma.Schema{one, {Type: "array", Items: one}}}
}

func strictly(raw []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// faultyFields finds the fields that cannot be read into a T, which the decoder itself does not tell; err is what it said.
func faultyFields[T any](raw json.RawMessage, prefix string, err error) (out []fault.Field) {
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(raw, &fields) == nil {
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			var item T
			alone, merr := json.Marshal(map[string]json.RawMessage{name: fields[name]})
			if merr != nil {
				continue
			}
			if err := strictly(alone, &item); err != nil {
				out = append(out, fault.Field{Name: prefix + name, Message: strings.TrimPrefix(decoding(err.Error()), name+": ")})
			}
		}
	}
	if out == nil {
		out = []fault.Field{{Name: strings.TrimSuffix(prefix+"body", "."), Message: decoding(err.Error())}}
	}
	return out
}

// oneOrPage answers in the form in which it was asked: the thing itself, or a page of them.
type oneOrPage[T any] struct {
	items   []T
	single  bool
	created bool // of a single thing: it is new, which the status says
}

// MarshalJSON writes either form.
func (p oneOrPage[T]) MarshalJSON() ([]byte, error) {
	if p.single && len(p.items) == 1 {
		return json.Marshal(p.items[0])
	}
	return json.Marshal(paged(p.items, nil))
}

// Schema describes both forms.
func (oneOrPage[T]) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{r.Schema(reflect.TypeFor[T](), true, ""), r.Schema(reflect.TypeFor[page[T]](), true, "")}}
}

// addMany registers an operation that takes one thing or several. It answers 201 to a single new one, else 200.
func addMany[I, B any](a *API, o op, handle func(ctx context.Context, in *oneOrMany[I]) (oneOrPage[B], error)) {
	type answer struct {
		Status int
		Body   oneOrPage[B]
	}
	o.status, o.loose = http.StatusOK, true
	h := a.operation(o)
	schema := oneOrPage[B]{}.Schema(a.huma.OpenAPI().Components.Schemas)
	h.Responses = map[string]*huma.Response{"201": {Description: "A single new one", Content: map[string]*huma.MediaType{"application/json": {Schema: schema.OneOf[0]}}}}
	huma.Register(a.huma, h, func(ctx context.Context, in *body[oneOrMany[I]]) (*answer, error) {
		out, err := handle(ctx, &in.Body)
		if err != nil {
			return nil, a.refuse(ctx, o, err)
		}
		out.single = in.Body.single
		status := http.StatusOK
		if out.single && out.created {
			status = http.StatusCreated
		}
		return &answer{status, out}, nil
	})
}
