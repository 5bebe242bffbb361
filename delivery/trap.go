package delivery

import (
	"slices"
	"strings"
)

// A link that no person sees, right before the pixel: who opens it is a program.
const (
	trapBefore = `<a href="`
	trapAfter  = `" style="display:none" aria-hidden="true" tabindex="-1"></a>`
	imgBefore  = `<img src="`
)

// trapPlace makes room in a page's fixed text for the hidden link's address, as one more value before the pixel's.
func trapPlace(fixed []string, pixel int) []string {
	before := strings.TrimSuffix(fixed[pixel], imgBefore)
	return slices.Replace(slices.Clone(fixed), pixel, pixel+1, before+trapBefore, trapAfter+imgBefore)
}

// withTrap puts the hidden link, escaped, before the pixel of a page, escaped, too.
func withTrap(page, pixel, trap string) string {
	i := strings.LastIndex(page, imgBefore+pixel)
	if i < 0 {
		return page
	}
	return page[:i] + trapBefore + trap + trapAfter + page[i:]
}
