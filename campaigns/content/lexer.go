package content

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexeme is a piece of what stands between the braces of a tag.
type lexeme struct {
	kind byte // i identifier, k keyword (name:), s string, n number, p property (.name), o anything else
	text string
	line int // lines below the tag's first
}

// lex cuts the arguments of a Liquid tag into lexemes. It accepts more than Liquid does: the library has parsed them
// before, this only finds names.
func lex(s string) []lexeme {
	var out []lexeme
	line := 0
	for i := 0; i < len(s); {
		c := s[i]
		r, width := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == '\n':
			line++
			i++
		case unicode.IsSpace(r):
			i += width
		case c == '"' || c == '\'':
			end := i + 1
			for end < len(s) && s[end] != c {
				if s[end] == '\\' && c == '"' {
					end++
				}
				end++
			}
			end = min(end, len(s))
			out = append(out, lexeme{'s', s[i+1 : end], line})
			line += strings.Count(s[i:end], "\n")
			i = end + 1
		case c >= '0' && c <= '9' || c == '-' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			end := i + 1
			for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' && end+1 < len(s) && s[end+1] != '.') {
				end++
			}
			out = append(out, lexeme{'n', s[i:end], line})
			i = end
		case c == '.' && i+1 < len(s) && s[i+1] == '.':
			out = append(out, lexeme{'o', "..", line})
			i += 2
		case c == '.' && i+1 < len(s) && nameLen(s[i+1:]) > 0:
			n := nameLen(s[i+1:])
			out = append(out, lexeme{'p', s[i+1 : i+1+n], line})
			i += 1 + n
		case nameLen(s[i:]) > 0:
			n := nameLen(s[i:])
			name := s[i : i+n]
			i += n
			if i < len(s) && s[i] == ':' {
				out = append(out, lexeme{'k', name, line})
				i++
				continue
			}
			out = append(out, lexeme{'i', name, line})
		default:
			out = append(out, lexeme{'o', s[i : i+width], line})
			i += width
		}
	}
	return out
}

// nameLen gives the length of the identifier that s begins with; 0 where it begins with none.
func nameLen(s string) int {
	for i, r := range s {
		switch {
		case r == '_' || unicode.IsLetter(r):
		case i > 0 && (r == '-' || unicode.IsDigit(r)):
		case i > 0 && r == '?':
			return i + 1
		default:
			return i
		}
	}
	return len(s)
}
