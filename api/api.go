package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"

	"aldine/campaigns"
	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/customers/mergepurge"
	"aldine/delivery"
	"aldine/delivery/inbound"
	"aldine/insights"
	"aldine/internal/access"
	"aldine/internal/settings"
	"aldine/reports"
	"aldine/segments"
	"aldine/tracking"
)

// Deps are the services that the operations call.
type Deps struct {
	Pool       *pgxpool.Pool // for idempotency keys
	Access     *access.Service
	Settings   *settings.Store
	Customers  *customers.Service
	MergePurge *mergepurge.Service
	Duplicates *duplicates.Service
	Segments   *segments.Service
	Tracking   *tracking.Service
	Campaigns  *campaigns.Service
	Delivery   *delivery.Service
	Inbound    *inbound.Service
	Reports    *reports.Service
	Insights   *insights.Service
	Now        func() time.Time
	Log        *slog.Logger
	Version    string // of the program, shown in the description
	MaxImport  int64  // bytes of one upload; 0: 2 GiB
}

// API is the REST interface.
type API struct {
	Deps
	huma  huma.API
	ops   []op
	needs map[string]access.Permission // by method and route
}

// base is the path of all operations.
const base = "/api/v1"

// under applies a middleware only below a path.
func under(path string, m echo.MiddlewareFunc) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		with := m(next)
		return func(c echo.Context) error {
			if p := c.Request().URL.Path; p == path || strings.HasPrefix(p, path+"/") {
				return with(c)
			}
			return next(c)
		}
	}
}

// Limits of request bodies.
const (
	maxBody   = 4 << 20
	maxImport = 2 << 30
)

// New gives the interface; Register puts it on a server.
func New(d Deps) *API {
	if d.MaxImport == 0 {
		d.MaxImport = maxImport
	}
	if d.Version == "" {
		d.Version = "dev"
	}
	useProblems()
	return &API{Deps: d, needs: map[string]access.Permission{}}
}

// Register adds the operations, their description and its page to e, and makes e answer errors under /api as
// problem+json. Other errors go to the handler that e had.
func (a *API) Register(e *echo.Echo) {
	a.handleErrors(e)
	// Not as the group's middleware: with that, echo answers wrong methods like unknown paths.
	for _, m := range []echo.MiddlewareFunc{a.identify, a.recover, a.authenticate, a.idempotent, a.recover} {
		e.Use(under(base, m))
	}
	a.huma = humaecho.NewWithGroup(e, e.Group(base), a.config())
	a.customers()
	a.recomputations()
	a.lists()
	a.households()
	a.imports()
	a.suppressionFiles()
	a.registers()
	a.privacy()
	a.mergePurge()
	a.duplicates()
	a.segments()
	a.templates()
	a.campaigns()
	a.responses()
	a.events()
	a.calls()
	a.outgoing()
	a.reports()
	a.admin()
	a.reclassify()
	a.describe(e.Group("/api"))
}

func (a *API) config() huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	aliases(registry)
	c := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Aldine", Version: a.Version, Description: introduction,
				License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}},
			Servers: []*huma.Server{{URL: base}},
			Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
				"token": {Type: "http", Scheme: "bearer", Description: "A token from Settings, Tokens or `aldine token create --role ROLE`."}}},
			Security: []map[string][]string{{"token": {}}},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
	}
	c.FieldsOptionalByDefault = true // the services say what is missing, in the same words as on the pages
	return c
}

const introduction = `Everything that the pages of Aldine do, for other programs.

Send the token as ` + "`Authorization: Bearer ald_...`" + `. Errors are problem documents (RFC 9457) whose ` + "`errors`" + ` name each faulty field,
with line and column where the field is an expression, a template or a file. Lists are read page by page: ` + "`?limit=&after=`" + `,
where ` + "`after`" + ` is the ` + "`next`" + ` of the page before. Amounts of money are decimal strings. A write with an ` + "`Idempotency-Key`" + ` header may be
repeated for a day: it is done once, and the answer is given again with ` + "`Idempotency-Replayed: true`" + `.`

// identify gives every request an id, which the answer carries and the log shows.
func (a *API) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), infoKey{}, &requestInfo{id: requestID(c)})))
		c.Response().Header().Set("Cache-Control", "no-store")
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		if c.Request().Body != nil && !streams(c) {
			c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, maxBody)
		}
		if kind := c.Request().Header.Get(echo.HeaderContentType); strings.HasPrefix(kind, echo.MIMEApplicationForm) {
			// No operation takes forms: this is what curl says of any body where nobody says better.
			c.Request().Header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
		}
		return next(c)
	}
}

// streams tells whether the operation reads its body as a stream, with a limit of its own.
func streams(c echo.Context) bool {
	return c.Request().Method == http.MethodPost && (uploads(c.Path()) || c.Path() == base+mergeInputs)
}
