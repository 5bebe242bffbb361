package api

import (
	"context"
	"net/http"

	"aldine/internal/access"
	"aldine/tracking"
)

func (a *API) reclassify() {
	const tag = "Settings"
	add(a, op{id: "startReclassification", method: http.MethodPost, path: "/reclassifications", summary: "Judge stored opens and clicks again", tag: tag, need: access.Administer,
		status: http.StatusAccepted, doc: "Which were a person's and which a program's, by today's rules. Only hits that other rules judged are looked at, unless every is set; reports follow. " +
			"Ask GET /reclassifications/{id} how far it is. One runs at a time: another one is a conflict."},
		func(ctx context.Context, in *body[tracking.NewReclassification]) (tracking.Reclassification, error) {
			return a.Tracking.StartReclassification(ctx, in.Body)
		})
	type list struct {
		Limits
		After int64 `query:"after" minimum:"0"`
	}
	add(a, op{id: "listReclassifications", method: http.MethodGet, path: "/reclassifications", summary: "Runs through stored hits, newest first", tag: tag, need: access.Administer},
		func(ctx context.Context, in *list) (page[tracking.Reclassification], error) {
			list, err := a.Tracking.Reclassifications(ctx, in.After, in.Limit)
			return cut(list, in.Limit, func(r tracking.Reclassification) any { return r.ID }), err
		})
	add(a, op{id: "getReclassification", method: http.MethodGet, path: "/reclassifications/{id}", summary: "How far a run through stored hits is", tag: tag, need: access.Administer},
		func(ctx context.Context, in *One) (tracking.Reclassification, error) {
			return a.Tracking.Reclassification(ctx, in.ID)
		})
	add(a, op{id: "cancelReclassification", method: http.MethodPost, path: "/reclassifications/{id}/cancel", summary: "Stop a run through stored hits", tag: tag, need: access.Administer,
		doc: "Hits that it has judged stay so; another run goes on with the others."},
		func(ctx context.Context, in *One) (tracking.Reclassification, error) {
			if err := a.Tracking.CancelReclassification(ctx, in.ID); err != nil {
				return tracking.Reclassification{}, err
			}
			return a.Tracking.Reclassification(ctx, in.ID)
		})
}
