package web

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"aldine/internal/fault"
	"aldine/segments/builder"
)

// segmentRows gives an expression as rows of the builder, or says why it stays text.
func (p *Pages) segmentRows(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	root, why := builder.Rows(f.Get("expression"))
	if why != "" {
		return c.JSON(http.StatusOK, map[string]string{"why": why})
	}
	return c.JSON(http.StatusOK, map[string]any{"root": root})
}

// segmentText gives rows as an expression, or says which row is not complete.
func (p *Pages) segmentText(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	var root builder.Item
	if err := json.Unmarshal([]byte(f.Get("rows")), &root); err != nil {
		return fault.Wrap(fault.Invalid, err, "The rows could not be read")
	}
	text, err := builder.Text(root)
	if fe := (*fault.Error)(nil); errors.As(err, &fe) && len(fe.Fields) > 0 {
		return c.JSON(http.StatusOK, map[string]string{"why": fe.Fields[0].Message})
	} else if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]string{"text": text})
}
