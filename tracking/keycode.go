package tracking

import (
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"unicode"

	"aldine/internal/fault"
)

// KeycodeLength is the number of characters of a keycode, its check character included.
const KeycodeLength = 8

// alphabet leaves out every pair that is confused in print, in handwriting or on the phone: 0/O, 1/I/L, 2/Z, 5/S,
// 8/B and U/V. Its size is prime, on which the check character rests.
const alphabet = "34679ACDEFGHJKMNPQRTWXY"

// A keycode is valid when the sum of weight times value is 0 modulo the alphabet's size, the weights being 8, 7 ... 1.
// The size being prime and larger than the weights, no change of one character and no exchange of any two different
// ones leaves the sum as it was.
func checksum(values []int) int {
	sum := 0
	for i, v := range values {
		sum += (KeycodeLength - i) * v
	}
	return sum % len(alphabet)
}

// NewKeycode makes a random keycode with its check character; a nil reader stands for crypto/rand.Reader. Two calls
// may give the same code, however rarely, so that whoever stores one must be ready to ask again. It panics when the
// reader fails.
func NewKeycode(random io.Reader) string {
	if random == nil {
		random = rand.Reader
	}
	fair := 256 - 256%len(alphabet) // bytes from here on would favour the first characters
	var b [1]byte
	values := make([]int, 0, KeycodeLength)
	for len(values) < KeycodeLength-1 {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			panic(fmt.Errorf("random bytes for a keycode: %w", err))
		}
		if int(b[0]) < fair {
			values = append(values, int(b[0])%len(alphabet))
		}
	}
	values = append(values, (len(alphabet)-checksum(values))%len(alphabet)) // its weight is 1
	code := make([]byte, KeycodeLength)
	for i, v := range values {
		code[i] = alphabet[v]
	}
	return string(code)
}

// CheckKeycode gives a keycode in its normal form: upper case, without spaces and hyphens. Nothing else is corrected
// silently. An Invalid error says whether the length, a character or the check character is wrong.
func CheckKeycode(s string) (string, error) {
	normal, problem := checkKeycode(s)
	if problem != "" {
		return "", fault.BadField("keycode", "%s", problem)
	}
	return normal, nil
}

func checkKeycode(s string) (normal, problem string) {
	if len(s) > 100 {
		return "", fmt.Sprintf("wrong length: a keycode has %d characters", KeycodeLength)
	}
	code := make([]byte, 0, KeycodeLength)
	values := make([]int, 0, KeycodeLength)
	length := 0
	for _, r := range s {
		if r == '-' || r == ' ' || r == '\u00a0' || r == '\t' {
			continue
		}
		length++
		if r >= 'a' && r <= 'z' {
			r += 'A' - 'a'
		}
		v := strings.IndexRune(alphabet, r)
		if v < 0 {
			if !unicode.IsPrint(r) {
				return "", "a character is not allowed in a keycode"
			}
			return "", fmt.Sprintf("the character %q is not allowed: keycodes use only %s", r, alphabet)
		}
		code, values = append(code, alphabet[v]), append(values, v)
	}
	switch {
	case length != KeycodeLength:
		return "", fmt.Sprintf("wrong length: a keycode has %d characters, this has %d", KeycodeLength, length)
	case checksum(values) != 0:
		return "", "the check character does not fit: the code was probably mistyped, compare it with the print"
	}
	return string(code), ""
}
