package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/internal/fault"
)

// attributes are the facts of customers that marketers define.
func (a *API) attributes() {
	const tag = "Customers"
	add(a, op{id: "listAttributes", method: http.MethodGet, path: "/attributes", summary: "Attributes that marketers defined, those that are being added last", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, _ *none) (page[customers.Attribute], error) {
			coming, err := a.Customers.ComingAttributes(ctx) // first: it may come between the two
			if err != nil {
				return page[customers.Attribute]{}, err
			}
			list, err := a.Customers.Attributes(ctx)
			return paged(append(list, coming...), nil), err
		})
	type attribute struct {
		Name        string                  `json:"name" doc:"As written in expressions and templates." example:"favourite_flower"`
		Label       string                  `json:"label"`
		Type        customers.AttributeType `json:"type" enum:"text,number,money,bool,date,time,list"`
		Description string                  `json:"description"`
		Private     bool                    `json:"private,omitempty" doc:"The read-only role neither sees it nor can ask for it; for administrators to say."`
	}
	type defined struct {
		Status int
		Body   customers.Attribute
	}
	defining := op{id: "defineAttribute", method: http.MethodPost, path: "/attributes", summary: "Define an attribute of customers", tag: tag,
		need: access.CustomersWrite, status: http.StatusCreated,
		doc: "201: it is there. 202: customers are read or written without a pause, and it is added as soon as there is one; its state says so (GET /attributes/{name})."}
	h := a.operation(defining)
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[customers.Attribute](), true, "")
	h.Responses = map[string]*huma.Response{"202": {Description: "It is being added", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}}
	huma.Register(a.huma, h, func(ctx context.Context, in *body[attribute]) (*defined, error) {
		b := in.Body
		made, err := a.Customers.DefineAttribute(ctx, customers.Attribute{Name: b.Name, Label: b.Label, Type: b.Type, Description: b.Description, Private: b.Private})
		if err != nil {
			return nil, a.refuse(ctx, defining, err)
		}
		if made.State == customers.AttributeComing {
			return &defined{http.StatusAccepted, made}, nil
		}
		return &defined{http.StatusCreated, made}, nil
	})
	type named struct {
		Name string `path:"name" doc:"The attribute's."`
	}
	add(a, op{id: "getAttribute", method: http.MethodGet, path: "/attributes/{name}", summary: "An attribute, also while it is being added", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *named) (customers.Attribute, error) {
			return a.Customers.Attribute(ctx, in.Name)
		})
	act(a, op{id: "cancelAttribute", method: http.MethodPost, path: "/attributes/{name}/cancel", summary: "Give up an attribute that is being added", tag: tag, need: access.CustomersWrite,
		doc: "Conflict where it is there already: attributes stay."},
		func(ctx context.Context, in *named) error { return a.Customers.CancelAttribute(ctx, in.Name) })
	type secrecy struct {
		Name string `path:"name" doc:"The attribute's."`
		Body struct {
			Private *bool `json:"private" doc:"Must be given."`
		}
	}
	add(a, op{id: "setAttributePrivate", method: http.MethodPut, path: "/attributes/{name}/private", summary: "Close an attribute to the read-only role, or open it", tag: tag,
		need: access.Administer, doc: "The read-only role then neither sees it, with customers or in lists of attributes, nor can use it or a segment that asks for it."},
		func(ctx context.Context, in *secrecy) (customers.Attribute, error) {
			if in.Body.Private == nil {
				return customers.Attribute{}, fault.BadField("private", "say true or false")
			}
			return a.Customers.SetAttributePrivate(ctx, in.Name, *in.Body.Private)
		})
}
