package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"aldine/insights"
	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/segments"
)

// segmentPast is what a segment said and how many it had, and its members as a file; and what the members of any expression are like.
func (a *API) segmentPast(tag string) {
	type versionsOf struct {
		One
		Limits
		Before int `query:"before" doc:"The lowest version of the page before."`
	}
	add(a, op{id: "segmentVersions", method: http.MethodGet, path: "/segments/{id}/versions", summary: "What a segment said, newest first", tag: tag, need: access.SegmentsRead},
		func(ctx context.Context, in *versionsOf) (page[segments.Version], error) {
			if _, err := a.Segments.Get(ctx, segments.ID(in.ID)); err != nil {
				return page[segments.Version]{}, err
			}
			out, err := a.Segments.Versions(ctx, segments.ID(in.ID), in.Before, in.Limit)
			return cut(out, in.Limit, func(v segments.Version) any { return v.Version }), err
		})
	type versionOf struct {
		One
		Version int `path:"version"`
	}
	add(a, op{id: "restoreSegment", method: http.MethodPost, path: "/segments/{id}/versions/{version}/restore", summary: "Take an earlier version as a new one", tag: tag, need: access.SegmentsWrite},
		func(ctx context.Context, in *versionOf) (segments.Segment, error) {
			return a.Segments.Restore(ctx, segments.ID(in.ID), in.Version)
		})
	type historyOf struct {
		One
		Days int `query:"days" minimum:"0" maximum:"1000" doc:"90 where left out."`
	}
	add(a, op{id: "segmentHistory", method: http.MethodGet, path: "/segments/{id}/history", summary: "The last exact count of each day", tag: tag, need: access.SegmentsRead},
		func(ctx context.Context, in *historyOf) (page[segments.DayCount], error) {
			if _, err := a.Segments.Get(ctx, segments.ID(in.ID)); err != nil {
				return page[segments.DayCount]{}, err
			}
			out, err := a.Segments.History(ctx, segments.ID(in.ID), in.Days)
			return paged(out, nil), err
		})
	download(a, op{id: "segmentMembers", method: http.MethodGet, path: "/segments/{id}/members.csv", summary: "The members as CSV, safe for spreadsheets", tag: tag, need: access.CustomersWrite},
		[]string{"text/csv"}, func(ctx context.Context, in *One) (file, error) {
			s, err := a.Segments.Get(ctx, segments.ID(in.ID))
			if err != nil {
				return file{}, err
			}
			write, err := a.Segments.Export(ctx, s)
			return file{Type: "text/csv; charset=utf-8", Name: fmt.Sprintf("segment-%d.csv", s.ID), Write: write}, err
		})
	add(a, op{id: "profileExpression", method: http.MethodPost, path: "/segments/profile", summary: "The members of an expression by country, age, value and reach", tag: tag, need: access.SegmentsRead},
		func(ctx context.Context, in *body[expression]) (insights.Profile, error) {
			return a.Insights.Profile(ctx, in.Body.Expression)
		})
	type scheme struct {
		Nested  bool   `query:"nested" doc:"Frequency within recency, value within both: nearly equal cells."`
		AsOf    string `query:"as_of" format:"date" doc:"Only orders before this day (UTC); all where left out."`
		Returns bool   `query:"returns" doc:"Whether returns count as orders."`
	}
	add(a, op{id: "rfm", method: http.MethodGet, path: "/insights/rfm", summary: "Customers in cells by recency, frequency and monetary value", tag: "Reports", need: access.ReportsRead},
		func(ctx context.Context, in *scheme) (insights.Grid, error) {
			sc := insights.Scheme{Nested: in.Nested, Returns: in.Returns}
			if in.AsOf != "" {
				at, err := time.Parse(time.DateOnly, in.AsOf)
				if err != nil {
					return insights.Grid{}, fault.BadField("as_of", "write the day as 2026-01-31")
				}
				sc.AsOf = at
			}
			return a.Insights.RFM(ctx, sc)
		})
}
