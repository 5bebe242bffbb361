package web

import "github.com/labstack/echo/v4"

// policy lets pages load from this program alone, without inline scripts or styles. Tabler draws its check boxes
// and arrows with data: images.
const policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

// strangerPolicy is for content that others wrote (a message, a preview): inline styles and images within the
// document, nothing else, and the whole page is locked into a sandbox of its own.
const strangerPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"

func headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		return next(c)
	}
}

// stranger answers with an HTML document that others wrote, for a sandboxed frame.
func stranger(c echo.Context, html string) error {
	c.Response().Header().Set("Content-Security-Policy", strangerPolicy)
	return c.HTML(200, html)
}
