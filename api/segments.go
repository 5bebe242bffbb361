package api

import (
	"context"
	"errors"
	"net/http"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/segments"
)

type expression struct {
	Expression string `json:"expression" example:"orders_count >= 3 and last_order_at < ago(\"90d\")"`
}

type expressionCheck struct {
	Valid  bool          `json:"valid"`
	Errors []fault.Field `json:"errors" doc:"With line and column in the expression."`
}

func (a *API) segments() {
	const tag = "Segments"
	type list struct {
		Limits
		Search string `query:"search" doc:"Part of the name or the description."`
		Folder string `query:"folder"`
		Tag    string `query:"tag"`
		After  string `query:"after" doc:"The last name of the page before."`
	}
	add(a, op{id: "listSegments", method: http.MethodGet, path: "/segments", summary: "Saved segments", tag: tag, need: access.SegmentsRead},
		func(ctx context.Context, in *list) (page[segments.Segment], error) {
			out, err := a.Segments.List(ctx, segments.Query{Search: in.Search, Folder: in.Folder, Tag: in.Tag, After: in.After, Limit: in.Limit})
			return cut(out, in.Limit, func(s segments.Segment) any { return s.Name }), err
		})
	add(a, op{id: "createSegment", method: http.MethodPost, path: "/segments", summary: "Save a segment", tag: tag, need: access.SegmentsWrite, status: http.StatusCreated},
		func(ctx context.Context, in *body[segments.Draft]) (segments.Segment, error) {
			return a.Segments.Create(ctx, in.Body)
		})
	add(a, op{id: "getSegment", method: http.MethodGet, path: "/segments/{id}", summary: "One segment", tag: tag, need: access.SegmentsRead},
		func(ctx context.Context, in *One) (segments.Segment, error) {
			return a.Segments.Get(ctx, segments.ID(in.ID))
		})
	add(a, op{id: "updateSegment", method: http.MethodPut, path: "/segments/{id}", summary: "Change a segment", tag: tag, need: access.SegmentsWrite,
		doc: "Send row_version back to be told when somebody else was faster (409)."},
		func(ctx context.Context, in *with[segments.Draft]) (segments.Segment, error) {
			return a.Segments.Update(ctx, segments.ID(in.ID), in.Body)
		})
	act(a, op{id: "deleteSegment", method: http.MethodDelete, path: "/segments/{id}", summary: "Delete a segment that nothing uses", tag: tag, need: access.SegmentsWrite},
		func(ctx context.Context, in *One) error { return a.Segments.Delete(ctx, segments.ID(in.ID)) })
	add(a, op{id: "countSegment", method: http.MethodPost, path: "/segments/{id}/count", summary: "Count a saved segment exactly and keep the figure", tag: tag, need: access.SegmentsRead},
		func(ctx context.Context, in *One) (segments.Count, error) {
			return a.Segments.CountSegment(ctx, segments.ID(in.ID))
		})
	a.segmentPast(tag)
	add(a, op{id: "checkExpression", method: http.MethodPost, path: "/segments/check", summary: "Check an expression", tag: tag, need: access.SegmentsRead},
		func(ctx context.Context, in *body[expression]) (expressionCheck, error) {
			err := a.Segments.Check(ctx, in.Body.Expression)
			var f *fault.Error
			switch {
			case err == nil:
				return expressionCheck{Valid: true, Errors: []fault.Field{}}, nil
			case errors.As(err, &f) && f.Kind == fault.Invalid:
				return expressionCheck{Errors: f.Fields}, nil
			}
			return expressionCheck{}, err
		})
	type countRequest struct {
		Expression string        `json:"expression" example:"orders_count >= 3"`
		Mode       segments.Mode `json:"mode,omitempty" enum:"exact,estimate" doc:"exact where left out"`
	}
	add(a, op{id: "countExpression", method: http.MethodPost, path: "/segments/count", summary: "Count the customers of an expression", tag: tag, need: access.SegmentsRead},
		func(ctx context.Context, in *body[countRequest]) (segments.Count, error) {
			if in.Body.Mode == "" {
				in.Body.Mode = segments.Exact
			}
			return a.Segments.Count(ctx, in.Body.Expression, in.Body.Mode)
		})
	type sampleRequest struct {
		Expression string `json:"expression"`
		Count      int    `json:"count,omitempty" minimum:"0" maximum:"100" doc:"10 where left out"`
	}
	add(a, op{id: "sampleExpression", method: http.MethodPost, path: "/segments/sample", summary: "Some customers of an expression", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *body[sampleRequest]) (out page[customers.Customer], err error) {
			if in.Body.Count == 0 {
				in.Body.Count = 10
			}
			ids, err := a.Segments.Sample(ctx, in.Body.Expression, in.Body.Count)
			if err != nil {
				return out, err
			}
			profiles, err := a.Customers.Profiles(ctx, a.Pool, ids)
			var list []customers.Customer
			for _, id := range ids {
				if p, ok := profiles[id]; ok {
					list = append(list, p)
				}
			}
			return paged(list, nil), err
		})
	add(a, op{id: "expressionNames", method: http.MethodGet, path: "/segments/names", summary: "What an expression may name: attributes, segments, lists, campaigns", tag: tag, need: access.SegmentsRead},
		func(ctx context.Context, _ *none) (segments.Names, error) { return a.Segments.Names(ctx) })
	add(a, op{id: "expressionReference", method: http.MethodGet, path: "/segments/reference", summary: "Fields and functions of the language", tag: tag, need: access.SegmentsRead},
		func(context.Context, *none) (page[segments.Entry], error) {
			return paged(segments.Reference(), nil), nil
		})
}
