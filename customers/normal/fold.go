package normal

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxText is the longest form, in bytes; what follows in a value cannot make two things one.
const MaxText = 256

// Fold gives the form in which text is compared: Latin letters and digits in lower case without accents, words parted
// by one space. German umlauts become two letters, Cyrillic and Greek are transliterated, letters that only look Latin
// within a Latin word become Latin, marks of writing direction vanish; other scripts stay as they are.
func Fold(s string) string {
	if isFolded(s) {
		return s
	}
	b := make([]byte, 0, min(len(s), MaxText)+8)
	gap := false
	for i := 0; i < len(s) && len(b) < MaxText; i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			switch {
			case r >= firstLetter && r < lastLetter && latinLetters[r-firstLetter] != "":
				if gap {
					b = append(b, ' ')
					gap = false
				}
				b = append(b, latinLetters[r-firstLetter]...)
			case r == '’':
			case r == '\u00a0', r == '–':
				gap = len(b) > 0
			default:
				return foldUnicode(s)
			}
			i += size - 1
			continue
		}
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
		case c == '\'':
			continue
		default:
			gap = len(b) > 0
			continue
		}
		if gap {
			b = append(b, ' ')
			gap = false
		}
		b = append(b, c)
	}
	return cut(string(b))
}

// isFolded tells of a short text of ASCII that it is in folded form already, which most parts of forms are.
func isFolded(s string) bool {
	if len(s) > MaxText {
		return false
	}
	last := byte(' ')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == ' ' && last != ' ') {
			return false
		}
		last = c
	}
	return last != ' ' || s == ""
}

// cut shortens a form to what is looked at, at the end of a letter.
func cut(s string) string {
	if len(s) <= MaxText {
		return s
	}
	n := MaxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimRight(s[:n], " ")
}

// latinLetters are the folded letters from À to ſ; no entry for what is no letter, or more than one.
const firstLetter, lastLetter = '\u00c0', '\u0180'

var latinLetters = func() (t [lastLetter - firstLetter]string) {
	for r := firstLetter; r < lastLetter; r++ {
		if s := foldUnicode(string(r)); !isGap(r) && !strings.Contains(foldUnicode(string(r)+"a"), " ") {
			t[r-firstLetter] = s
		}
	}
	return t
}()

func foldUnicode(s string) string {
	if len(s) > 2*MaxText { // a huge value must not cost more than a long one
		s = strings.ToValidUTF8(s[:2*MaxText], "")
	}
	// Umlauts are written as two letters before accents are dropped, however they were composed.
	s = strings.ToLower(norm.NFKC.String(s))
	s = umlauts.Replace(s)
	var out strings.Builder
	for _, word := range strings.FieldsFunc(strings.ToLower(norm.NFKD.String(s)), isGap) {
		w := foldWord(word)
		if w == "" {
			continue
		}
		if out.Len() > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(w)
		if out.Len() > MaxText {
			break
		}
	}
	return cut(out.String())
}

func isGap(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && !unicode.Is(unicode.Cf, r) && r != '\'' && r != '’' && r != 'ʼ'
}

var umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue")

func foldWord(word string) string {
	latin := strings.IndexFunc(word, func(r rune) bool { return r >= 'a' && r <= 'z' || plainLetters[r] != "" }) >= 0
	var b strings.Builder
	for _, r := range word {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r), r == '\'', r == '’', r == 'ʼ':
			continue
		case latin && lookalikes[r] != 0:
			b.WriteByte(lookalikes[r])
		case transliterated[r] != "":
			b.WriteString(strings.TrimSuffix(transliterated[r], "-"))
		case lookalikes[r] != 0: // of a script that is not transliterated otherwise
			b.WriteByte(lookalikes[r])
		case plainLetters[r] != "":
			b.WriteString(plainLetters[r])
		case unicode.IsDigit(r):
			b.WriteRune(digit(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// SameWords tells whether two texts are one in their folded forms, where an umlaut may also be written as its base letter:
// Müller, Mueller and Muller.
func SameWords(a, b string) bool {
	if a == b {
		return true
	}
	a, b = Fold(a), Fold(b)
	return a == b || len(a) > 1 && len(b) > 1 && a[0] == b[0] && baseVowels.Replace(a) == baseVowels.Replace(b)
}

var baseVowels = strings.NewReplacer("ae", "a", "oe", "o", "ue", "u")

// digit gives the ASCII digit of any script's decimal digit; each script has its ten digits in a row.
func digit(r rune) rune {
	if r <= '9' {
		return r
	}
	for d := rune(0); d < 10; d++ {
		if !unicode.IsDigit(r - d - 1) {
			return '0' + d
		}
	}
	return r
}

// plainLetters are Latin letters that do not decompose into an accent and a base letter.
var plainLetters = map[rune]string{'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ł': "l", 'þ': "th", 'ð': "d", 'ı': "i", 'ħ': "h", 'ŋ': "n"}

// lookalikes are letters of other scripts that pass for Latin ones within a Latin word.
var lookalikes = map[rune]byte{
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'һ': 'h', 'і': 'i', 'ј': 'j', 'к': 'k', 'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'ѕ': 's',
	'т': 't', 'у': 'y', 'х': 'x', 'α': 'a', 'ε': 'e', 'ι': 'i', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'υ': 'u', 'χ': 'x',
}

// transliterated holds Cyrillic and Greek; "-" stands for nothing.
var transliterated = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ж': "zh", 'з': "z", 'и': "i", 'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o",
	'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f", 'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "-", 'ы': "y", 'ь': "-",
	'э': "e", 'ю': "yu", 'я': "ya", 'і': "i", 'є': "ye", 'ґ': "g", 'ј': "j", 'љ': "lj", 'њ': "nj", 'ћ': "c", 'ђ': "d", 'џ': "dz",
	'α': "a", 'β': "v", 'γ': "g", 'δ': "d", 'ε': "e", 'ζ': "z", 'η': "i", 'θ': "th", 'ι': "i", 'κ': "k", 'λ': "l", 'μ': "m", 'ν': "n", 'ξ': "x",
	'ο': "o", 'π': "p", 'ρ': "r", 'σ': "s", 'ς': "s", 'τ': "t", 'υ': "y", 'φ': "f", 'χ': "ch", 'ψ': "ps", 'ω': "o",
}
