package api

import (
	"embed"
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"
)

//go:embed static
var static embed.FS

// The page runs only scripts of this program; the component it uses styles elements directly.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// describe serves the description of the operations and its page; both are public, as the program is.
func (a *API) describe(g *echo.Group) {
	asJSON, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		panic("api: the description cannot be written: " + err.Error())
	}
	asYAML, err := a.huma.OpenAPI().YAML()
	if err != nil {
		panic("api: the description cannot be written: " + err.Error())
	}
	serve := func(path, contentType string, body []byte) {
		g.GET(path, func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("Content-Security-Policy", docsPolicy)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Cache-Control", "no-cache")
			return c.Blob(http.StatusOK, contentType, body)
		})
	}
	serve("/openapi.json", "application/json", asJSON)
	serve("/openapi.yaml", "application/yaml", asYAML)
	for _, f := range []struct{ path, contentType, name string }{
		{"/docs", "text/html; charset=utf-8", "docs.html"},
		{"/docs/docs.js", "text/javascript; charset=utf-8", "docs.js"},
		{"/docs/swagger-ui.css", "text/css; charset=utf-8", "swagger-ui.css"},
		{"/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8", "swagger-ui-bundle.js"},
	} {
		body, err := static.ReadFile("static/" + f.name)
		if err != nil {
			panic("api: " + err.Error())
		}
		serve(f.path, f.contentType, body)
	}
	g.GET("/docs/", func(c echo.Context) error { return c.Redirect(http.StatusMovedPermanently, "/api/docs") })
}
