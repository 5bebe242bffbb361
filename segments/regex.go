package segments

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
)

const (
	maxPattern = 200  // characters
	maxProgram = 1000 // instructions of the compiled pattern
	maxRepeat  = 255  // PostgreSQL's own limit
	maxAnchors = 8    // ^ and $ one after the other: PostgreSQL looks at every way through them
)

// translatePattern reads a regular expression in Go's syntax (RE2) and writes it anew for PostgreSQL from its parts, so
// that both engines match the same text: classes become explicit ranges, letters whose case does not count become
// classes, and what the two engines understand differently is refused. A dot matches every character, ^ and $ are
// the ends of the text.
func translatePattern(pattern string) (*regexp.Regexp, string, error) {
	if len(pattern) > maxPattern {
		return nil, "", fmt.Errorf("the pattern is longer than %d characters", maxPattern)
	}
	tree, err := syntax.Parse(pattern, syntax.Perl|syntax.DotNL)
	if err != nil {
		var detail *syntax.Error
		if errors.As(err, &detail) {
			return nil, "", fmt.Errorf("the pattern cannot be read: %s: %q", detail.Code, detail.Expr)
		}
		return nil, "", errors.New("the pattern cannot be read")
	}
	var b strings.Builder
	if err := writePattern(&b, tree); err != nil {
		return nil, "", err
	}
	if anchors(tree) > maxAnchors {
		return nil, "", errors.New("the pattern has ^ or $ in a part that is repeated too often: move them out of it")
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil || len(program.Inst) > maxProgram {
		return nil, "", errors.New("the pattern is too large: use fewer or smaller repetitions")
	}
	re, err := regexp.Compile("(?s:" + pattern + ")")
	if err != nil {
		return nil, "", errors.New("the pattern cannot be read")
	}
	return re, b.String(), nil
}

func writePattern(b *strings.Builder, re *syntax.Regexp) error {
	switch re.Op {
	case syntax.OpEmptyMatch:
		b.WriteString("(?:)")
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if re.Flags&syntax.FoldCase != 0 {
				writeFolded(b, r)
			} else if err := writeRune(b, r); err != nil {
				return err
			}
		}
	case syntax.OpCharClass:
		return writeClass(b, re.Rune)
	case syntax.OpAnyChar:
		b.WriteByte('.')
	case syntax.OpBeginText:
		b.WriteString("(?:^)")
	case syntax.OpEndText:
		b.WriteString("(?:$)")
	case syntax.OpCapture:
		return writeGroup(b, re.Sub[0], "")
	case syntax.OpStar:
		return writeGroup(b, re.Sub[0], "*")
	case syntax.OpPlus:
		return writeGroup(b, re.Sub[0], "+")
	case syntax.OpQuest:
		return writeGroup(b, re.Sub[0], "?")
	case syntax.OpRepeat:
		if re.Min > maxRepeat || re.Max > maxRepeat {
			return fmt.Errorf("the pattern repeats more than %d times", maxRepeat)
		}
		bounds := fmt.Sprintf("{%d,%d}", re.Min, re.Max)
		if re.Max < 0 {
			bounds = fmt.Sprintf("{%d,}", re.Min)
		}
		return writeGroup(b, re.Sub[0], bounds)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if err := writePattern(b, sub); err != nil {
				return err
			}
		}
	case syntax.OpAlternate:
		b.WriteString("(?:")
		for i, sub := range re.Sub {
			if i > 0 {
				b.WriteByte('|')
			}
			if err := writePattern(b, sub); err != nil {
				return err
			}
		}
		b.WriteByte(')')
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return errors.New(`the pattern uses \b, which is not supported`)
	default:
		return errors.New("the pattern uses a form that is not supported, such as (?m)")
	}
	return nil
}

// anchors counts how many of ^ and $ can follow each other, at the most.
func anchors(re *syntax.Regexp) (n int) {
	for _, sub := range re.Sub {
		if of := anchors(sub); re.Op == syntax.OpAlternate {
			n = max(n, of)
		} else {
			n += of
		}
	}
	switch re.Op {
	case syntax.OpBeginText, syntax.OpEndText:
		return 1
	case syntax.OpStar, syntax.OpPlus:
		return 2 * n
	case syntax.OpRepeat:
		if re.Max < 0 {
			return (re.Min + 1) * n
		}
		return re.Max * n
	}
	return n
}

func writeGroup(b *strings.Builder, re *syntax.Regexp, repeat string) error {
	b.WriteString("(?:")
	if err := writePattern(b, re); err != nil {
		return err
	}
	b.WriteString(")" + repeat)
	return nil
}

func writeFolded(b *strings.Builder, r rune) {
	b.WriteByte('[')
	for f := r; ; {
		writeEscaped(b, f)
		if f = unicode.SimpleFold(f); f == r {
			break
		}
	}
	b.WriteByte(']')
}

func writeRune(b *strings.Builder, r rune) error {
	if r == 0 {
		return errors.New("the pattern holds a NUL character")
	}
	writeEscaped(b, r)
	return nil
}

// writeEscaped writes every character but letters and digits by its number: nothing is special then.
func writeEscaped(b *strings.Builder, r rune) {
	switch {
	case r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
		b.WriteRune(r)
	case r <= 0xffff:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

// writeClass writes ranges; a class that reaches over all of Unicode is written by what it leaves out.
func writeClass(b *strings.Builder, ranges []rune) error {
	open := "["
	if len(ranges) > 2 && ranges[0] == 0 && ranges[len(ranges)-1] == unicode.MaxRune {
		open = "[^"
		var rest []rune
		for i := 1; i+1 < len(ranges); i += 2 {
			rest = append(rest, ranges[i]+1, ranges[i+1]-1)
		}
		ranges = rest
	}
	if len(ranges) == 0 {
		return errors.New("the pattern has a class that matches nothing")
	}
	if len(ranges) > 200 {
		return errors.New("the pattern has a class that is too large: name the letters that count, such as [A-Za-zÄÖÜäöüß]")
	}
	b.WriteString(open)
	for i := 0; i < len(ranges); i += 2 {
		low, high := max(ranges[i], 1), ranges[i+1] // NUL cannot stand in text
		if high < low {
			return errors.New("the pattern has a class that matches nothing")
		}
		writeEscaped(b, low)
		if high > low {
			b.WriteByte('-')
			writeEscaped(b, high)
		}
	}
	b.WriteByte(']')
	return nil
}
