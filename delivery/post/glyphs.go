package post

import (
	_ "embed" // the letters' font
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font/sfnt"
)

// font is DejaVu Sans Condensed: Latin, Greek, Cyrillic and more; its licence stands beside it.
//
//go:embed font/DejaVuSansCondensed.ttf
var font []byte

const missingMark = '□'

var (
	parsed = sync.OnceValue(func() *sfnt.Font {
		f, err := sfnt.Parse(font)
		if err != nil {
			panic("the embedded font: " + err.Error()) // it is part of the program
		}
		return f
	})
	known sync.Map // rune -> bool
)

// shaped scripts need joined or reordered glyphs, which the PDF library does not do.
var shaped = []*unicode.RangeTable{
	unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Devanagari, unicode.Bengali,
	unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam,
	unicode.Sinhala, unicode.Thai, unicode.Lao, unicode.Tibetan, unicode.Myanmar, unicode.Khmer, unicode.Mongolian,
}

func hasGlyph(r rune) bool {
	if r == '\n' || r >= ' ' && r <= '~' {
		return true
	}
	if v, ok := known.Load(r); ok {
		return v.(bool)
	}
	ok := r <= 0xFFFF && !unicode.In(r, shaped...) && !unicode.IsControl(r)
	if ok {
		var b sfnt.Buffer
		i, err := parsed().GlyphIndex(&b, r)
		ok = err == nil && i != 0
	}
	known.Store(r, ok)
	return ok
}

// printable replaces what cannot be printed and gives the characters it replaced.
func printable(s string) (text, missing string) {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, string(missingMark)), "\t", "    ")
	if strings.IndexFunc(s, func(r rune) bool { return !hasGlyph(r) }) < 0 {
		return s, ""
	}
	var out, gone strings.Builder
	for _, r := range s {
		if hasGlyph(r) {
			out.WriteRune(r)
			continue
		}
		if unicode.IsControl(r) {
			continue
		}
		out.WriteRune(missingMark)
		gone.WriteRune(r)
	}
	return out.String(), gone.String()
}
