package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"
)

//go:embed templates
var templateFiles embed.FS

// view names a template together with the type of its data, so that a page can't be rendered with another's.
type view[T any] struct{ name string }

// known collects the names of all views while the package's variables are made, for parseViews to check.
var known []string

// pageView is a whole page: templates/pages/<name>.html inside the layout.
func pageView[T any](name string) view[T] {
	known = append(known, "pages/"+name)
	return view[T]{"pages/" + name}
}

// partView is a fragment that htmx puts into a page: templates/parts/<name>.html.
func partView[T any](name string) view[T] {
	known = append(known, "parts/"+name)
	return view[T]{"parts/" + name}
}

func parseViews() (map[string]*template.Template, error) {
	base, err := template.New("base").Funcs(functions).ParseFS(templateFiles, "templates/layout/*.html")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	// Fragments are also drawn inside pages, under their file's name.
	parts, err := fs.Glob(templateFiles, "templates/parts/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range parts {
		if err := parseInto(base, file, "parts/"+stem(file)); err != nil {
			return nil, err
		}
	}
	views := map[string]*template.Template{}
	pages, err := fs.Glob(templateFiles, "templates/pages/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range pages {
		t := template.Must(base.Clone())
		if err := parseInto(t, file, "content"); err != nil {
			return nil, err
		}
		views["pages/"+stem(file)] = t.Lookup("layout")
	}
	for _, file := range parts {
		views["parts/"+stem(file)] = template.Must(base.Clone()).Lookup("parts/" + stem(file))
	}
	for _, name := range known {
		if views[name] == nil {
			return nil, fmt.Errorf("templates: %s.html is missing", name)
		}
	}
	return views, nil
}

func parseInto(t *template.Template, file, name string) error {
	text, err := templateFiles.ReadFile(file)
	if err != nil {
		return err
	}
	if _, err := t.New(name).Parse(string(text)); err != nil {
		return fmt.Errorf("templates: %s: %w", file, err)
	}
	return nil
}

func stem(file string) string { return strings.TrimSuffix(path.Base(file), ".html") }

// show answers 200 with a view.
func show[T any](p *Pages, c echo.Context, v view[T], data T) error {
	return showStatus(p, c, http.StatusOK, v, data)
}

// showStatus answers with a view, drawn into a buffer first.
func showStatus[T any](p *Pages, c echo.Context, status int, v view[T], data T) error {
	var b bytes.Buffer
	if err := p.views[v.name].Execute(&b, data); err != nil {
		return fmt.Errorf("page %s: %w", v.name, err)
	}
	return c.HTMLBlob(status, b.Bytes())
}
