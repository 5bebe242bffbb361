package match

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxValue is how much of a value is looked at, in bytes; what follows cannot make two records one.
const maxValue = 256

// fold gives the form in which text is compared: Latin letters and digits in lower case without accents, words parted by
// one space. German umlauts become two letters, Cyrillic and Greek are transliterated, letters that only look Latin
// within a Latin word become Latin, marks of writing direction vanish; other scripts stay as they are.
func fold(s string) string {
	b := make([]byte, 0, min(len(s), maxValue)+4)
	gap := false
	for i := 0; i < len(s) && len(b) < maxValue; i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			return foldUnicode(s)
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
	return string(b)
}

func foldUnicode(s string) string {
	if len(s) > 2*maxValue { // a huge value must not cost more than a long one
		s = strings.ToValidUTF8(s[:2*maxValue], "")
	}
	// Umlauts are written as two letters before accents are dropped, however they were composed.
	s = strings.ToLower(norm.NFKC.String(s))
	s = umlauts.Replace(s)
	var out strings.Builder
	for _, word := range strings.FieldsFunc(norm.NFKD.String(s), isGap) {
		w := foldWord(word)
		if w == "" {
			continue
		}
		if out.Len()+len(w) >= maxValue {
			break
		}
		if out.Len() > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(w)
	}
	return out.String()
}

func isGap(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && !unicode.Is(unicode.Cf, r) && r != '\'' && r != '’' && r != 'ʼ'
}

var umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "å", "a", "đ", "d", "ł", "l", "þ", "th",
	"ð", "d", "ı", "i", "ħ", "h", "ŋ", "n")

func foldWord(word string) string {
	latin := strings.IndexFunc(word, func(r rune) bool { return r >= 'a' && r <= 'z' }) >= 0
	var b strings.Builder
	for _, r := range word {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r), r == '\'', r == '’', r == 'ʼ':
			continue
		case latin && lookalikes[r] != 0:
			b.WriteByte(lookalikes[r])
		case transliterated[r] != "":
			b.WriteString(strings.TrimSuffix(transliterated[r], "-"))
		case unicode.IsDigit(r):
			b.WriteRune(digit(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

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
