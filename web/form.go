package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/internal/fault"
)

// form is what a person typed and what is wrong with it, so that a page can be shown again as it was.
type form struct {
	values  url.Values
	Message string
	faults  map[string][]string
	rest    []fault.Field
}

// formOf reads the request's form.
func formOf(c echo.Context) (form, error) {
	values, err := c.FormParams()
	if err != nil {
		return form{}, unreadable(err, "The form could not be read")
	}
	return form{values: values}, nil
}

// formWith gives a form filled with pairs of name and value.
func formWith(pairs ...string) form {
	f := form{values: url.Values{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.values.Set(pairs[i], pairs[i+1])
	}
	return f
}

// Get gives the value of a field, as typed.
func (f form) Get(name string) string { return f.values.Get(name) }

// Text gives the value without surrounding space.
func (f form) Text(name string) string { return strings.TrimSpace(f.values.Get(name)) }

// Has tells whether a check box is set, or one of several has the value.
func (f form) Has(name, value string) bool {
	for _, v := range f.values[name] {
		if v == value {
			return true
		}
	}
	return false
}

// Errs gives what is wrong with a field.
func (f form) Errs(name string) []string { return f.faults[name] }

// Others gives faults of fields that are not in names, for the page to list by itself.
func (f form) Others(names ...string) []fault.Field {
	var out []fault.Field
next:
	for _, field := range f.rest {
		for _, n := range names {
			if field.Name == n {
				continue next
			}
		}
		out = append(out, field)
	}
	return out
}

// Faulty tells whether the form was refused.
func (f form) Faulty() bool { return f.Message != "" }

// refused takes the faults of an Invalid or Conflict error into the form; other errors come back unchanged.
func (f *form) refused(err error) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.Invalid && e.Kind != fault.Conflict && e.Kind != fault.Unavailable {
		return err
	}
	f.Message, f.rest, f.faults = e.Message, e.Fields, map[string][]string{}
	for _, field := range e.Fields {
		text := field.Message
		if field.Line > 0 {
			text += " (line " + strconv.Itoa(field.Line)
			if field.Column > 0 {
				text += ", column " + strconv.Itoa(field.Column)
			}
			text += ")"
		}
		f.faults[field.Name] = append(f.faults[field.Name], text)
	}
	return nil
}

// idParam reads the number in the path; anything else names no thing.
func idParam(c echo.Context) (int64, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, fault.New(fault.NotFound, "There is no such page")
	}
	return id, nil
}

// status of a form shown again.
func (f form) status() int {
	if f.Faulty() {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}
