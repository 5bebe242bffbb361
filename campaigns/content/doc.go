// Package content owns the templates of all media: e-mails, SMS, letters and call scripts, written in Liquid.
//
// A template is checked when it is saved: unclosed tags, unknown variables and dangerous links are refused with their
// line, and so are loops that could run for long. Each change makes a new version and old versions never change, so
// what was sent can always be read again.
//
//	compiled, err := store.Compiled(ctx, templateID, version)
//	out, err := compiled.Render(content.Vars{...}.Map(), func(url string) string { return trackedURL(url) })
//
// Links are found in the template, not in its output: the URL as written there (tags included) is what rewrite gets, so
// the set of a template's links is small and known before the first customer is looked at.
package content
