package content

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"sync"

	"github.com/osteele/liquid"
	"github.com/osteele/liquid/render"
)

// Limits of a template. A template is written by a colleague, not by a stranger, but one mistake must not stop all mail.
const (
	maxSource = 256 << 10 // bytes of one part
	maxOutput = 1 << 20   // bytes of one rendered part
	maxValue  = 256 << 10 // bytes of one assigned or filtered value
	maxItems  = 1000      // items of one loop or assigned list
	maxRounds = 10_000    // rounds of loops within loops
	maxDepth  = 10        // blocks within blocks
)

var errTooLong = errors.New("a value grows too long")

// engines are the two dialects: values are escaped in HTML and plain elsewhere.
var (
	htmlEngine = sync.OnceValue(func() *liquid.Engine { return newEngine(true) })
	textEngine = sync.OnceValue(func() *liquid.Engine { return newEngine(false) })
)

func newEngine(escape bool) *liquid.Engine {
	e := liquid.NewEngine()
	e.UnregisterTag("include") // no access to files
	e.UnregisterTag("render")
	if escape {
		e.SetAutoEscapeReplacer(render.HtmlEscaper)
	}
	// The filters and tags by which a value could double its size again and again.
	e.RegisterFilter("append", func(s, suffix string) (string, error) {
		return capped(len(s)+len(suffix), func() string { return s + suffix })
	})
	e.RegisterFilter("prepend", func(s, prefix string) (string, error) {
		return capped(len(s)+len(prefix), func() string { return prefix + s })
	})
	e.RegisterFilter("replace", func(s, old, new string) (string, error) {
		return capped(len(s)+strings.Count(s, old)*len(new), func() string { return strings.ReplaceAll(s, old, new) })
	})
	e.RegisterFilter("join", func(list []any, sep func(string) string) (string, error) { return join(list, sep(" ")) })
	e.RegisterFilter("split", split)
	e.RegisterFilter("concat", func(a, b []any) ([]any, error) {
		if len(a)+len(b) > maxItems {
			return nil, errTooLong
		}
		return append(append(make([]any, 0, len(a)+len(b)), a...), b...), nil
	})
	e.RegisterBlock("keep", func(ctx render.Context) (string, error) {
		s, err := ctx.InnerString()
		if err == nil && len(s) > maxValue {
			err = errTooLong
		}
		if err != nil {
			return "", err
		}
		ctx.Set(strings.TrimSpace(ctx.TagArgs()), s)
		return "", nil
	})
	e.RegisterTag("assign", func(ctx render.Context) (string, error) {
		name, source, _ := strings.Cut(ctx.TagArgs(), "=")
		v, err := ctx.EvaluateString(strings.TrimSpace(source))
		if err == nil && size(v) > maxValue {
			err = errTooLong
		}
		if err != nil {
			return "", err
		}
		ctx.Set(strings.TrimSpace(name), v)
		return "", nil
	})
	return e
}

// The library allows no second definition of a block, so capture is renamed to our own.
var capturePattern = regexp.MustCompile(`\{%(-?\s*)(end)?capture\b`)

func ownTags(source string) string { return capturePattern.ReplaceAllString(source, "{%${1}${2}keep") }

func capped(length int, make func() string) (string, error) {
	if length > maxValue {
		return "", errTooLong
	}
	return make(), nil
}

var spaces = regexp.MustCompile(`\s+`)

// split cuts as the library does (a space stands for any white space, empty ends are dropped), but not into more
// parts than a loop may have rounds.
func split(s, sep string) ([]any, error) {
	if sep == " " {
		s = spaces.ReplaceAllString(s, " ")
	}
	parts := strings.SplitN(s, sep, maxItems+1)
	if len(parts) > maxItems {
		return nil, errTooLong
	}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out, nil
}

func join(list []any, sep string) (string, error) {
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(text(v))
		if b.Len() > maxValue {
			return "", errTooLong
		}
	}
	return b.String(), nil
}

func size(v any) int {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.String:
		return r.Len()
	case reflect.Slice, reflect.Map:
		return r.Len() * (maxValue / maxItems)
	}
	return 0
}

// limitWriter fails once more than left bytes were written.
type limitWriter struct {
	b    strings.Builder
	left int
}

func (w *limitWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, errTooLong
	}
	w.left -= len(p)
	return w.b.Write(p)
}
