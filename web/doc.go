// Package web is what people see in the browser: server-rendered pages with htmx where something moves.
//
// routes.go is the site map: every page with the permission it needs. A page is one file with its action, its typed
// data and nothing else; its template has the same name under templates/pages. An action decodes the request, calls a
// service, fills its page and returns an error or renders:
//
//	func (p *Pages) segmentList(c echo.Context) error {
//		list, err := p.Segments.List(ctx(c))
//		if err != nil {
//			return err
//		}
//		return show(p, c, segmentListView, segmentListPage{frame: p.frame(c, segmentsPlace, "Segments"), Segments: list})
//	}
//
// Pages are rendered into a buffer first, so that a fault in a template never leaves half a page. One place
// (errors.go) turns errors into pages: faults into plain words with a next step, anything else into a bare 500 with
// the cause in the log. Faulty fields of a form come back beside the fields.
//
// Nothing is loaded from elsewhere and no script or style is inline: the content policy of headers.go forbids both.
// Third-party files are vendored with their checksums, see static/VENDORED.md.
package web
