package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"aldine/customers/duplicates"
	"aldine/internal/access"
	"aldine/internal/fault"
)

// PairOf is the input of an operation on two customers.
type PairOf struct {
	ID    int64 `path:"id" minimum:"1"`
	Other int64 `path:"other" minimum:"1"`
}

// merging says how two customers become one.
type merging struct {
	Old      int64             `json:"old" doc:"The customer who becomes an alias."`
	Choose   map[string]string `json:"choose" doc:"Field to survivor or old, where the rule shall not decide; the address is one field, attributes are attributes.name." example:"{\"last_name\":\"old\"}"`
	Conflict bool              `json:"despite_conflict" doc:"They are one person although their external ids differ."`
}

func (a *API) duplicates() {
	const tag = "Duplicates"
	add(a, op{id: "searchDuplicates", method: http.MethodPost, path: "/duplicate-searches", summary: "Search the house file for duplicates", tag: tag, need: access.CustomersWrite,
		status: http.StatusAccepted, doc: "Finds pairs that may be one person; it merges nobody. Ask GET /duplicate-searches/{id} how far it is."},
		func(ctx context.Context, in *body[duplicates.NewSearch]) (duplicates.Search, error) {
			return a.Duplicates.StartSearch(ctx, in.Body)
		})
	type list struct {
		Limits
		After int64 `query:"after"`
	}
	add(a, op{id: "listDuplicateSearches", method: http.MethodGet, path: "/duplicate-searches", summary: "Searches, newest first", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *list) (page[duplicates.Search], error) {
			list, err := a.Duplicates.Searches(ctx, in.After, in.Limit)
			return cut(list, in.Limit, func(s duplicates.Search) any { return s.ID }), err
		})
	add(a, op{id: "getDuplicateSearch", method: http.MethodGet, path: "/duplicate-searches/{id}", summary: "How far a search is", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *One) (duplicates.Search, error) { return a.Duplicates.Search(ctx, in.ID) })
	add(a, op{id: "cancelDuplicateSearch", method: http.MethodPost, path: "/duplicate-searches/{id}/cancel", summary: "Stop a search, or the merging of sure pairs", tag: tag, need: access.CustomersWrite},
		func(ctx context.Context, in *One) (duplicates.Search, error) {
			if err := a.Duplicates.CancelSearch(ctx, in.ID); err != nil {
				return duplicates.Search{}, err
			}
			return a.Duplicates.Search(ctx, in.ID)
		})
	type open struct {
		Limits
		After string `query:"after" doc:"The next of the page before."`
	}
	add(a, op{id: "listDuplicates", method: http.MethodGet, path: "/duplicates", summary: "Pairs to review, the surest first", tag: tag, need: access.CustomersRead,
		doc: "Each with its evidence field by field: both values, how far they agree, and what that weighs in bits."},
		func(ctx context.Context, in *open) (page[duplicates.Pair], error) {
			after, err := readPlace(in.After)
			if err != nil {
				return page[duplicates.Pair]{}, err
			}
			list, err := a.Duplicates.Open(ctx, after, in.Limit)
			return cut(list, in.Limit, func(p duplicates.Pair) any { return writePlace(p.Cursor()) }), err
		})
	add(a, op{id: "countDuplicates", method: http.MethodGet, path: "/duplicates/counts", summary: "How many pairs there are", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, _ *none) (duplicates.Counts, error) { return a.Duplicates.Counts(ctx) })
	add(a, op{id: "getDuplicate", method: http.MethodGet, path: "/duplicates/{id}/{other}", summary: "One pair", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *PairOf) (duplicates.Pair, error) {
			return a.Duplicates.Pair(ctx, in.ID, in.Other)
		})
	type decision struct {
		PairOf
		Body struct {
			Different bool `json:"different" doc:"True: two people. False: the pair is open again."`
		}
	}
	add(a, op{id: "decideDuplicate", method: http.MethodPost, path: "/duplicates/{id}/{other}/decision", summary: "Note that two customers are different people", tag: tag, need: access.CustomersWrite},
		func(ctx context.Context, in *decision) (duplicates.Pair, error) {
			if err := a.Duplicates.Decide(ctx, in.ID, in.Other, in.Body.Different); err != nil {
				return duplicates.Pair{}, err
			}
			return a.Duplicates.Pair(ctx, in.ID, in.Other)
		})
	type sure struct {
		MinScore float64 `json:"min_score" minimum:"0" maximum:"1" doc:"0.99 where left out."`
		Expected *int64  `json:"expected" doc:"How many pairs that is; refused when it is not, so that no more are merged than were seen."`
	}
	add(a, op{id: "mergeSureDuplicates", method: http.MethodPost, path: "/duplicates/merge-sure", summary: "Merge all open pairs that are sure and have no conflict", tag: tag, need: access.CustomersWrite,
		status: http.StatusAccepted, doc: "Runs in the background like a search; each merge can be undone."},
		func(ctx context.Context, in *body[sure]) (duplicates.Search, error) {
			if in.Body.MinScore == 0 {
				in.Body.MinScore = 0.99
			}
			if in.Body.Expected != nil {
				n, err := a.Duplicates.CountSure(ctx, in.Body.MinScore)
				if err != nil {
					return duplicates.Search{}, err
				}
				if n != *in.Body.Expected {
					return duplicates.Search{}, fault.New(fault.Conflict, "%d pairs are sure now, not %d", n, *in.Body.Expected)
				}
			}
			return a.Duplicates.MergeSure(ctx, in.Body.MinScore)
		})
	a.merging(tag)
}

// merging has what two customers become one by, whether a search found them or not.
func (a *API) merging(tag string) {
	type preview struct {
		One
		Old int64 `query:"old" minimum:"1" required:"true" doc:"The customer who would become an alias."`
	}
	add(a, op{id: "previewCustomerMerge", method: http.MethodGet, path: "/customers/{id}/merge-preview", summary: "What merging another customer into this one would do", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *preview) (duplicates.Preview, error) {
			return a.Duplicates.PreviewMerge(ctx, in.ID, in.Old, nil)
		})
	add(a, op{id: "mergeCustomers", method: http.MethodPost, path: "/customers/{id}/merges", summary: "Merge another customer into this one", tag: tag, need: access.CustomersWrite, status: http.StatusCreated,
		doc: "History, consents and lists of both go along; the other number goes on leading here. Two different external ids need despite_conflict."},
		func(ctx context.Context, in *with[merging]) (duplicates.Merged, error) {
			if in.Body.Old <= 0 {
				return duplicates.Merged{}, fault.BadField("old", "Name the customer who becomes an alias")
			}
			if !in.Body.Conflict {
				p, err := a.Duplicates.PreviewMerge(ctx, in.ID, in.Body.Old, in.Body.Choose)
				if err != nil {
					return duplicates.Merged{}, err
				}
				if p.Conflict != "" {
					return duplicates.Merged{}, fault.New(fault.Conflict, "%s. If they are one person all the same, send despite_conflict", strings.TrimSuffix(p.Conflict, "."))
				}
			}
			return a.Duplicates.Merge(ctx, in.ID, in.Body.Old, in.Body.Choose)
		})
	add(a, op{id: "listCustomerMerges", method: http.MethodGet, path: "/customers/{id}/merges", summary: "Merges of a customer, newest first, those undone too", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *One) (page[duplicates.Merged], error) {
			customer, err := a.Customers.Get(ctx, in.ID)
			if err != nil {
				return page[duplicates.Merged]{}, err
			}
			list, err := a.Duplicates.Merges(ctx, customer.ID)
			return paged(list, nil), err
		})
	type undo struct {
		ID uuid.UUID `path:"id"`
	}
	add(a, op{id: "undoCustomerMerge", method: http.MethodPost, path: "/customer-merges/{id}/undo", summary: "Take a merge back", tag: tag, need: access.CustomersWrite,
		doc: "Both customers are as before; fields edited since the merge stay and are named in kept."},
		func(ctx context.Context, in *undo) (duplicates.Merged, error) {
			return a.Duplicates.Undo(ctx, in.ID.String())
		})
}

// writePlace and readPlace carry a place in the queue of pairs: score, number, other number.
func writePlace(c duplicates.Cursor) string {
	return strconv.FormatFloat(c.Score, 'g', -1, 64) + "," + strconv.FormatInt(c.CustomerID, 10) + "," + strconv.FormatInt(c.OtherID, 10)
}

func readPlace(s string) (duplicates.Cursor, error) {
	if s == "" {
		return duplicates.Cursor{}, nil
	}
	if parts := strings.Split(s, ","); len(parts) == 3 {
		score, err1 := strconv.ParseFloat(parts[0], 64)
		a, err2 := strconv.ParseInt(parts[1], 10, 64)
		b, err3 := strconv.ParseInt(parts[2], 10, 64)
		if err1 == nil && err2 == nil && err3 == nil && score >= 0 && score <= 1 {
			return duplicates.Cursor{Score: score, CustomerID: a, OtherID: b}, nil
		}
	}
	return duplicates.Cursor{}, fault.BadField("after", "This is no place in the list: take the next of the page before")
}
