package api

import (
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/internal/access"
	"aldine/internal/fault"
)

// authenticate finds the actor of the bearer token. A page's session does not count: what a browser sends by itself
// must not be able to act here.
func (a *API) authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		scheme, secret, _ := strings.Cut(r.Header.Get(echo.HeaderAuthorization), " ")
		if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(secret) == "" {
			c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer realm="aldine"`)
			return newProblem(http.StatusUnauthorized, "Send a token: Authorization: Bearer ald_...")
		}
		actor, err := a.Access.AuthenticateToken(r.Context(), strings.TrimSpace(secret))
		if err != nil {
			if fault.Is(err, fault.Unauthenticated) {
				c.Response().Header().Set(echo.HeaderWWWAuthenticate,
					`Bearer realm="aldine", error="invalid_token", error_description="`+err.Error()+`"`)
			}
			return err
		}
		c.SetRequest(r.WithContext(access.With(r.Context(), actor)))
		return next(c)
	}
}

func stack() []byte { return debug.Stack() }
