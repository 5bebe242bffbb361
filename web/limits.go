package web

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/labstack/echo/v4"

	"aldine/internal/fault"
)

// What a request may send: the largest forms hold a template or a journey of many steps.
const (
	maxForm   = 4 << 20
	maxUpload = 4 << 30
)

var errTooLarge = echo.NewHTTPError(http.StatusRequestEntityTooLarge)

// limitBody bounds what a request sends; reading more fails.
func limitBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		limit := int64(maxForm)
		switch c.Path() {
		case uploadPath, mergeUploadPath, suppressionUploadPath, registerUploadPath:
			limit = maxUpload
		}
		r := c.Request()
		r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
		return next(c)
	}
}

// unreadable gives the error for a body that could not be read.
func unreadable(err error, message string) error {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return errTooLarge
	}
	return fault.Wrap(fault.Invalid, err, "%s", message)
}

// caught runs an action; its panic comes back as an error.
func caught(action echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(error); ok && errors.Is(e, http.ErrAbortHandler) {
				panic(r)
			}
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return action(c)
}
