package web

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/labstack/echo/v4"

	"aldine/customers/csvfile"
	"aldine/internal/fault"
	"aldine/internal/id"
)

// upload is a file that waits for its mapping, remembered in the session.
type upload struct{ Key, Name, Kind, List string }

// uploadPath is where files are sent to; only there a large body is read.
const uploadPath = "/imports/upload"

// importUpload takes the file and leads to the mapping.
func (p *Pages) importUpload(c echo.Context) error {
	// Read as a stream: a large file goes to the disk once, and never into memory.
	r, err := c.Request().MultipartReader()
	if err != nil {
		return unreadable(err, "The form could not be read")
	}
	f := formWith("kind", "customers")
	u := upload{Key: id.New().String()}
	stored, kept := false, false
	defer func() {
		if stored && !kept {
			p.dropUpload(u.Key)
		}
	}()
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return unreadable(err, "The upload broke off")
		}
		switch part.FormName() {
		case "file":
			if stored {
				return fault.BadField("file", "Send one file at a time")
			}
			u.Name = filepath.Base(part.FileName())
			if err := p.keepUpload(u.Key, part); err != nil {
				return err
			}
			stored = true
		case "kind", "list":
			value, err := io.ReadAll(io.LimitReader(part, 1000))
			if err != nil {
				return unreadable(err, "The upload broke off")
			}
			f.values.Set(part.FormName(), string(value))
		}
	}
	u.Kind, u.List = f.Get("kind"), f.Text("list")
	if u.Kind != "orders" {
		u.Kind = "customers"
	}
	err = fault.BadField("file", "Choose a file")
	if stored && u.Name != "." {
		var file *csvfile.File
		if file, err = csvfile.Open(p.uploadPath(u.Key)); err == nil {
			file.Close()
			p.putUpload(c, u)
			kept = true
			return c.Redirect(http.StatusSeeOther, "/imports/mapping/"+u.Key)
		}
		switch {
		case errors.Is(err, csvfile.ErrEmpty):
			err = fault.BadField("file", "The file is empty")
		case errors.Is(err, csvfile.ErrHeader):
			err = fault.BadField("file", "The first line can't be read as a header: it must name the columns")
		}
	}
	if err := f.refused(err); err != nil {
		return err
	}
	return p.showImportNew(c, f)
}

func (p *Pages) uploadPath(key string) string { return filepath.Join(p.DataDir, "uploads", key+".csv") }

func (p *Pages) keepUpload(key string, body io.Reader) error {
	path := p.uploadPath(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "The folder for uploads can't be made")
	}
	p.sweepUploads(filepath.Dir(path))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The upload can't be stored")
	}
	_, err = io.Copy(file, body)
	if err = errors.Join(err, file.Close()); err != nil {
		p.dropUpload(key)
		if errors.As(err, new(*http.MaxBytesError)) {
			return errTooLarge
		}
		return fault.Wrap(fault.Unavailable, err, "The upload can't be stored; is the disk full?")
	}
	return nil
}

// sweepUploads removes files whose mapping nobody finished: they hold personal data.
func (p *Pages) sweepUploads(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

func (p *Pages) dropUpload(key string) { _ = os.Remove(p.uploadPath(key)) }

func (p *Pages) putUpload(c echo.Context, u upload) {
	for name, value := range map[string]string{"name": u.Name, "kind": u.Kind, "list": u.List} {
		p.sessions.Put(ctx(c), "upload."+u.Key+"."+name, value)
	}
}

// takeUpload gives the upload that the address names, if this session made it.
func (p *Pages) takeUpload(c echo.Context) (upload, error) {
	u := upload{Key: c.Param("key")}
	get := func(name string) string { return p.sessions.GetString(ctx(c), "upload."+u.Key+"."+name) }
	u.Name, u.Kind, u.List = get("name"), get("kind"), get("list")
	if u.Kind == "" {
		return u, fault.New(fault.NotFound, "This upload is not here any more: send the file again")
	}
	return u, nil
}
