package web

import (
	"errors"
	"io"
	"path/filepath"

	"github.com/labstack/echo/v4"

	"aldine/customers"
	"aldine/internal/fault"
)

type suppressionFilePage struct {
	frame
	Form   form
	Scopes []option
	Media  []option
}

var suppressionFileView = pageView[suppressionFilePage]("suppression-file")

// Where files of suppressions and of registers are sent to; there a large body is read.
const (
	suppressionUploadPath = "/suppressions/upload"
	registerUploadPath    = "/registers/:id/upload"
)

func (p *Pages) suppressionFile(c echo.Context) error {
	return p.showSuppressionFile(c, formWith("channel", "all", "scope", "email"))
}

func (p *Pages) showSuppressionFile(c echo.Context, f form) error {
	page := suppressionFilePage{frame: p.frame(c, customersPlace, "Load a file of suppressions"), Form: f, Scopes: scopeOptions, Media: suppressibleMedia}
	return showStatus(p, c, f.status(), suppressionFileView, page)
}

// suppressionUpload takes the file and leads to the progress of its import.
func (p *Pages) suppressionUpload(c echo.Context) error {
	var started customers.Import
	f, err := p.takeFile(c, func(f form, name string, file io.Reader) error {
		s, err := suppressionOf(f)
		if err != nil {
			return err
		}
		started, err = p.Customers.StartSuppressions(ctx(c), customers.StartSuppressions{Suppression: s, FileName: name, Column: f.Text("column"), Body: file})
		return err
	})
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showSuppressionFile(c, f)
	}
	return c.Redirect(303, "/imports/"+number64(started.ID))
}

// takeFile reads a form whose last field is a file: the fields before it, then the file as a stream, which take must read.
func (p *Pages) takeFile(c echo.Context, take func(f form, name string, file io.Reader) error) (form, error) {
	f := formWith()
	r, err := c.Request().MultipartReader()
	if err != nil {
		return f, unreadable(err, "The form could not be read")
	}
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return f, fault.BadField("file", "Choose a file")
		} else if err != nil {
			return f, unreadable(err, "The upload broke off")
		}
		if part.FormName() == "file" {
			name := filepath.Base(part.FileName())
			if name == "." || name == "/" {
				return f, fault.BadField("file", "Choose a file")
			}
			return f, take(f, name, part)
		}
		value, err := io.ReadAll(io.LimitReader(part, 2000))
		if err != nil {
			return f, unreadable(err, "The upload broke off")
		}
		f.values.Add(part.FormName(), string(value))
	}
}
