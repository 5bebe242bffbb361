// Package sheet makes text safe to open in a spreadsheet.
package sheet

import "strings"

// Safe gives a cell that no spreadsheet takes for a formula: text that starts like one gets an apostrophe before it. A
// sign with nothing but digits and a point behind it (an amount, a phone number) cannot do anything and stays.
func Safe(s string) string {
	if s == "" {
		return s
	}
	switch s[0] {
	case '=', '@', '\t', '\r', '\n':
		return "'" + s
	case '+', '-':
		if s[1:] == "" || strings.Trim(s[1:], "0123456789.") != "" {
			return "'" + s
		}
	}
	return s
}

// Row makes all cells of a row safe, in place.
func Row(cells []string) []string {
	for i, c := range cells {
		cells[i] = Safe(c)
	}
	return cells
}
