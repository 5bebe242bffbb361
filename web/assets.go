package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"
)

//go:embed static
var staticFiles embed.FS

// sums holds the first characters of each static file's SHA-256, for addresses that change when the file does.
var sums = func() map[string]string {
	out := map[string]string{}
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		out[strings.TrimPrefix(name, "static/")] = hex.EncodeToString(sum[:6])
		return nil
	})
	if err != nil {
		panic(err) // the files are inside the program
	}
	return out
}()

// asset gives the address of a static file; a name that is not there fails the page.
func asset(name string) (string, error) {
	if sums[name] == "" {
		return "", fmt.Errorf("there is no static file %q", name)
	}
	return assetURL(name), nil
}

func assetURL(name string) string { return "/static/" + name + "?v=" + sums[name] }

// static serves the files; with the right sum in the address they may be kept for good.
func (p *Pages) static(c echo.Context) error {
	name := c.Param("*")
	body, err := staticFiles.ReadFile(path.Join("static", path.Clean("/"+name)))
	if err != nil {
		return echo.ErrNotFound
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", `"`+sums[name]+`"`)
	if c.QueryParam("v") == sums[name] {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if c.Request().Header.Get("If-None-Match") == h.Get("ETag") {
		return c.NoContent(http.StatusNotModified)
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if kind == "" {
		kind = "text/plain; charset=utf-8"
	}
	return c.Blob(http.StatusOK, kind, body)
}
