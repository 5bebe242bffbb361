package web

import (
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"

	"aldine/customers/mergepurge"
)

type mergeListPage struct {
	frame
	Runs        []mergeListed
	First, Next string
}

// mergeListed is a run with the size of its result.
type mergeListed struct {
	mergepurge.Run
	Lists        int
	Records, Net *int64
}

var mergeListView = pageView[mergeListPage]("merge-runs")

func (p *Pages) mergeList(c echo.Context) error {
	before, _ := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	list, err := p.MergePurge.Runs(ctx(c), before, rowsPerPage+1)
	if err != nil {
		return err
	}
	page := mergeListPage{frame: p.frame(c, customersPlace, "Merge/purge")}
	if before > 0 {
		page.First = "/merge-runs"
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		page.Next = "/merge-runs?before=" + number64(list[rowsPerPage-1].ID)
	}
	if page.Runs, err = p.mergeSizes(c, list); err != nil {
		return err
	}
	return show(p, c, mergeListView, page)
}

// mergeSizes adds the number of lists and what the reports say of the sizes; the runs come without either.
func (p *Pages) mergeSizes(c echo.Context, list []mergepurge.Run) ([]mergeListed, error) {
	ids, at := make([]int64, len(list)), map[int64]int{}
	out := make([]mergeListed, len(list))
	for i, r := range list {
		ids[i], at[r.ID], out[i].Run = r.ID, i, r
	}
	rows, err := p.Pool.Query(ctx(c), `
		SELECT run_id, (SELECT count(*) FROM merge_inputs i WHERE i.run_id = r.run_id),
			(SELECT sum((i ->> 'input')::bigint)::bigint FROM jsonb_array_elements(report -> 'inputs') i), (report ->> 'net')::bigint
		FROM merge_runs r WHERE run_id = ANY (@ids) ORDER BY run_id`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, err
	}
	var id int64
	var lists int
	var records, net *int64
	_, err = pgx.ForEachRow(rows, []any{&id, &lists, &records, &net}, func() error {
		of := &out[at[id]]
		of.Lists, of.Records, of.Net = lists, records, net
		return nil
	})
	return out, err
}
