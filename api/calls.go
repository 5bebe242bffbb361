package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"aldine/delivery/calls"
	"aldine/internal/access"
)

// agentOf tells who holds a call. Names of tokens may repeat, and two agents with tokens of one name are still two.
func agentOf(ctx context.Context) string {
	a := access.From(ctx)
	if a.TokenID != 0 {
		return fmt.Sprintf("%s (token %d)", a.Name, a.TokenID)
	}
	return a.Name
}

func (a *API) calls() {
	const tag = "Calls"
	type list struct {
		Limits
		Campaign int64 `query:"campaign" doc:"Only of this campaign."`
		After    int64 `query:"after"`
	}
	add(a, op{id: "listCallLists", method: http.MethodGet, path: "/call-lists", summary: "Call lists with their progress", tag: tag, need: access.CallsRead},
		func(ctx context.Context, in *list) (page[calls.List], error) {
			out, err := a.Delivery.Calls().Lists(ctx, in.Campaign, in.After, in.Limit)
			return cut(out, in.Limit, func(l calls.List) any { return l.ID }), err
		})
	add(a, op{id: "getCallList", method: http.MethodGet, path: "/call-lists/{id}", summary: "One call list", tag: tag, need: access.CallsRead},
		func(ctx context.Context, in *One) (calls.List, error) { return a.Delivery.Calls().List(ctx, in.ID) })
	type leaseRequest struct {
		Count int `json:"count,omitempty" minimum:"0" maximum:"50" doc:"1 where left out"`
	}
	type leasing struct {
		One
		Body *leaseRequest
	}
	add(a, op{id: "leaseCalls", method: http.MethodPost, path: "/call-lists/{id}/lease", summary: "Take the next calls", tag: tag, need: access.CallsWork,
		doc: "Only numbers that may be called now; the calls are yours until leased_until. Fewer, or none, where there are no more."},
		func(ctx context.Context, in *leasing) (page[calls.Call], error) {
			n := 1
			if in.Body != nil && in.Body.Count > 0 {
				n = in.Body.Count
			}
			out, err := a.Delivery.Calls().Lease(ctx, in.ID, agentOf(ctx), n)
			return paged(out, nil), err
		})
	type export struct {
		One
		Count int `query:"count" minimum:"1" maximum:"1000" default:"100"`
	}
	download(a, op{id: "exportCalls", method: http.MethodGet, path: "/call-lists/{id}/export", summary: "Take calls as a CSV file", tag: tag, need: access.CallsWork,
		doc: "Leases them like POST lease does; after the lease ends they go to others."}, []string{"text/csv"},
		func(ctx context.Context, in *export) (file, error) {
			var buf bytes.Buffer // at most a thousand calls; a failure must still be able to become a problem
			if err := a.Delivery.Calls().ExportCSV(ctx, &buf, in.ID, agentOf(ctx), in.Count); err != nil {
				return file{}, err
			}
			return file{Type: "text/csv; charset=utf-8", Name: fmt.Sprintf("calls-%d.csv", in.ID),
				Write: func(w io.Writer) error { _, err := buf.WriteTo(w); return err }}, nil
		})
	add(a, op{id: "listOutcomes", method: http.MethodGet, path: "/calls/outcomes", summary: "What the outcome of a call can be", tag: tag, need: access.CallsRead},
		func(context.Context, *none) (page[calls.Outcome], error) { return paged(calls.Outcomes, nil), nil })
	add(a, op{id: "recordOutcome", method: http.MethodPost, path: "/calls/{id}/outcome", summary: "Report how a leased call went", tag: tag, need: access.CallsWork},
		func(ctx context.Context, in *with[calls.Report]) (calls.Result, error) {
			return a.Delivery.Calls().Outcome(ctx, in.ID, agentOf(ctx), in.Body)
		})
	act(a, op{id: "releaseCall", method: http.MethodPost, path: "/calls/{id}/release", summary: "Give a leased call back", tag: tag, need: access.CallsWork},
		func(ctx context.Context, in *One) error {
			return a.Delivery.Calls().Release(ctx, in.ID, agentOf(ctx))
		})
}
