package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/labstack/echo/v4"

	"aldine/internal/fault"
	"aldine/internal/id"
)

// Problem is the answer to a request that failed (RFC 9457).
type Problem struct {
	Type      string        `json:"type" doc:"Always about:blank: status and detail say it all."`
	Title     string        `json:"title" example:"Unprocessable Entity"`
	Status    int           `json:"status" example:"422"`
	Detail    string        `json:"detail" example:"The expression is not valid" doc:"What went wrong, for a person to read."`
	RequestID string        `json:"request_id,omitempty" doc:"To find the request in the log."`
	Errors    []fault.Field `json:"errors,omitempty" doc:"The faulty fields, with line and column where they apply."`
}

// Error gives the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus gives the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType gives the media type of problem documents.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func newProblem(status int, detail string, fields ...fault.Field) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Errors: fields}
}

var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusUnprocessableEntity, fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict,
	fault.Forbidden: http.StatusForbidden, fault.Unauthenticated: http.StatusUnauthorized, fault.Unavailable: http.StatusServiceUnavailable,
}

const failed = "Something failed on our side. Tell your administrator the request id."

// problem turns any error into its answer; what has no kind is logged here and nowhere else.
func (a *API) problem(ctx context.Context, method, path, request string, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var f *fault.Error
	if errors.As(err, &f) && statuses[f.Kind] != 0 {
		if f.Err != nil {
			a.Log.WarnContext(ctx, "request refused", "request_id", request, "method", method, "path", path, "error", err)
		}
		return newProblem(statuses[f.Kind], f.Message, f.Fields...)
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body may have at most %d bytes", large.Limit))
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return newProblem(http.StatusServiceUnavailable, "The request was cancelled")
	}
	a.Log.ErrorContext(ctx, "request failed", "request_id", request, "method", method, "path", path, "error", err)
	p = newProblem(http.StatusInternalServerError, failed)
	p.RequestID = request
	return p
}

var problemsOnce sync.Once

// useProblems makes the framework's own refusals (a body that is not JSON, a parameter of the wrong type) problem
// documents of the same form.
func useProblems() {
	problemsOnce.Do(func() {
		huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
			if status == http.StatusInternalServerError { // never the text of an unknown error
				return newProblem(status, failed)
			}
			p := newProblem(status, plain(status, message))
			for _, err := range errs {
				var large *http.MaxBytesError
				if errors.As(err, &large) {
					return newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body may have at most %d bytes", large.Limit))
				}
				p.Errors = append(p.Errors, field(err))
			}
			return p
		}
		huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
			for _, err := range errs {
				var large *http.MaxBytesError
				if errors.As(err, &large) {
					status = http.StatusRequestEntityTooLarge
				}
			}
			return huma.NewError(status, message, errs...)
		}
	})
}

func plain(status int, message string) string {
	switch {
	case status == http.StatusBadRequest && message == "validation failed":
		return "The body is not JSON"
	case message == "validation failed":
		return "The input is not valid"
	case message == "":
		return http.StatusText(status)
	}
	return strings.ToUpper(message[:1]) + message[1:]
}

// field names a parameter or the path into the body without saying which of the two it is.
func field(err error) fault.Field {
	var d *huma.ErrorDetail
	if !errors.As(err, &d) {
		var f *fault.Error
		if errors.As(err, &f) && len(f.Fields) == 1 {
			return f.Fields[0]
		}
		return fault.Field{Message: decoding(err.Error())}
	}
	name := d.Location
	for _, prefix := range []string{"body.", "query.", "path.", "header."} {
		name = strings.TrimPrefix(name, prefix)
	}
	return fault.Field{Name: name, Message: decoding(d.Message)}
}

var (
	wrongType = regexp.MustCompile(`cannot unmarshal (\w+) into Go (?:struct field [\w/]+\.(\S+)|value) of type \S+`)
	wrongTime = regexp.MustCompile(`parsing time .*`)
	wrongSum  = regexp.MustCompile(`unmarshaling decimal.*`)
)

// decoding says what a JSON decoder did not like, without the names of Go types.
func decoding(message string) string {
	m := strings.TrimPrefix(message, "json: ")
	m = wrongType.ReplaceAllString(m, "$2: a $1 cannot stand here")
	m = wrongTime.ReplaceAllString(m, "not a time: write it like 2026-01-31T09:00:00Z")
	m = wrongSum.ReplaceAllString(m, "not an amount: write it like \"12.50\"")
	m = strings.Replace(m, validation.MsgExpectedMatchAtLeastOneSchema, "not an amount: write it like \"12.50\"", 1) // nothing else has several forms
	return strings.TrimPrefix(m, ": ")
}

// handleErrors answers what echo itself refuses under /api, such as unknown paths and methods.
func (a *API) handleErrors(e *echo.Echo) {
	other := e.HTTPErrorHandler
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		path := c.Request().URL.Path
		if !strings.HasPrefix(path, "/api/") && path != "/api" {
			other(err, c)
			return
		}
		if c.Response().Committed {
			return
		}
		var he *echo.HTTPError
		if errors.As(err, &he) {
			switch he.Code {
			case http.StatusNotFound:
				err = newProblem(http.StatusNotFound, "There is nothing at "+path)
			case http.StatusMethodNotAllowed:
				err = newProblem(http.StatusMethodNotAllowed, c.Request().Method+" is not possible at "+path)
			default:
				if he.Code < 500 {
					err = newProblem(he.Code, http.StatusText(he.Code))
				}
			}
		}
		r := c.Request()
		writeProblem(c, a.problem(r.Context(), r.Method, path, requestID(c), err))
	}
}

func writeProblem(c echo.Context, p *Problem) {
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte(`{}`)
	}
	// The client may be gone; there is nobody left to tell.
	_ = c.Blob(p.Status, p.ContentType(""), body)
}

// requestID gives the request's id: the one that whoever stands before us gave it, else a new one.
func requestID(c echo.Context) string {
	h := c.Response().Header()
	if h.Get(echo.HeaderXRequestID) == "" {
		h.Set(echo.HeaderXRequestID, id.New().String())
	}
	return h.Get(echo.HeaderXRequestID)
}

// recover turns a panic into an error, so that one request does not end the program.
func (a *API) recover(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if r := recover(); r != nil {
				if e, ok := r.(error); ok && errors.Is(e, http.ErrAbortHandler) {
					panic(r)
				}
				err = fmt.Errorf("panic: %v\n%s", r, stack())
			}
		}()
		return next(c)
	}
}
