package web

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
)

// segmentExport streams the members as CSV: they may be more than memory holds.
func (p *Pages) segmentExport(c echo.Context) error {
	s, err := p.segmentParam(c)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="segment-%d.csv"`, s.ID))
	c.Response().Header().Set(echo.HeaderContentType, "text/csv; charset=utf-8")
	if err := p.Segments.WriteCSV(ctx(c), s, c.Response()); err != nil {
		if !c.Response().Committed {
			c.Response().Header().Del("Content-Disposition")
			return err
		}
		p.Log.WarnContext(ctx(c), "download broke off", "segment", s.ID, "error", err)
		panic(http.ErrAbortHandler) // a half file must not look whole
	}
	return nil
}
