package tracking

import (
	"bytes"
	"html/template"
	"net/http"
)

// pageData is what the one plain page shows: to people who came from a message, on any device, without scripts.
type pageData struct {
	Title, Heading string
	Text           []string
	Button         string // "": no form
}

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{.Title}}</title>
<style>
:root { color-scheme: light dark }
body { font: 1.125rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1.25rem }
button { font: inherit; padding: .6rem 1.2rem; border: 0; border-radius: .4rem; background: #1f4f8b; color: #fff; cursor: pointer }
button:focus-visible { outline: 3px solid #e8a33d; outline-offset: 2px }
</style>
</head>
<body>
<main>
<h1>{{.Heading}}</h1>
{{range .Text}}<p>{{.}}</p>
{{end}}{{if .Button}}<form method="post"><button type="submit" name="confirm" value="yes">{{.Button}}</button></form>
{{end}}</main>
</body>
</html>
`))

func (s *Service) page(w http.ResponseWriter, r *http.Request, status int, d pageData) {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, d); err != nil {
		s.log.Error("page", "error", err)
		http.Error(w, "This does not work at the moment.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer") // the address itself is the right to unsubscribe
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b.Bytes())
	}
}
