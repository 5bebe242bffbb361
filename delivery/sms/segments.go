package sms

import "unicode/utf16"

// Encoding is how a text travels: seven bits a character where its alphabet allows, else UTF-16 code units.
type Encoding string

// The encodings.
const (
	GSM7 Encoding = "GSM-7"
	UCS2 Encoding = "UCS-2"
)

// Capacities in units (septets or UTF-16 code units): of a message that travels alone, and of each part of a longer
// one, whose header takes six octets. Source: 3GPP TS 23.040.
const (
	gsmAlone, gsmPart = 160, 153
	ucsAlone, ucsPart = 70, 67
)

// basic is the GSM 03.38 alphabet. The table's 0x09 is taken as ETSI prints it, capital C with cedilla; handsets and
// the gateways' own counters do the same, so the small letter turns a text to UCS-2.
const basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" +
	"¿abcdefghijklmnopqrstuvwxyzäöñüà"

// extended characters are sent behind an escape and so take two septets.
const extended = "\f^{}\\[~]|€"

var septets = func() map[rune]int {
	m := map[rune]int{}
	for _, r := range basic {
		m[r] = 1
	}
	for _, r := range extended {
		m[r] = 2
	}
	return m
}()

// Segments tells how a text is encoded and as how many messages it is billed; the empty text is one.
func Segments(text string) (Encoding, int) {
	encoding, parts := Split(text)
	return encoding, len(parts)
}

// Split cuts a text into its parts. An escape sequence and a surrogate pair are never cut in two.
func Split(text string) (Encoding, []string) {
	if Foreign(text) == "" {
		return GSM7, split(text, gsmAlone, gsmPart, func(r rune) int { return septets[r] })
	}
	return UCS2, split(text, ucsAlone, ucsPart, func(r rune) int { return utf16.RuneLen(r) })
}

// Foreign gives the first character that is outside the GSM alphabet and so turns the text to UCS-2; "" where none is.
func Foreign(text string) string {
	for _, r := range text {
		if septets[r] == 0 {
			return string(r)
		}
	}
	return ""
}

func split(text string, alone, part int, size func(rune) int) []string {
	total := 0
	for _, r := range text {
		total += size(r)
	}
	if total <= alone {
		return []string{text}
	}
	var parts []string
	start, used := 0, 0
	for i, r := range text {
		if used+size(r) > part {
			parts = append(parts, text[start:i])
			start, used = i, 0
		}
		used += size(r)
	}
	return append(parts, text[start:])
}
