package tracking_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"aldine/internal/fault"
	"aldine/tracking"
)

const letters = "34679ACDEFGHJKMNPQRTWXY"

// randomBytes makes keycodes repeatable in tests.
func randomBytes(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

func TestKeycodeCatchesEveryMistypedCharacter(t *testing.T) {
	t.Parallel()
	random := randomBytes(1)
	for range 300 {
		code := tracking.NewKeycode(random)
		if got, err := tracking.CheckKeycode(code); err != nil || got != code {
			t.Fatalf("new code %s: %q, %v", code, got, err)
		}
		for i := range code { // every single substitution
			for j := range letters {
				if letters[j] == code[i] {
					continue
				}
				wrong := code[:i] + letters[j:j+1] + code[i+1:]
				if _, err := tracking.CheckKeycode(wrong); err == nil {
					t.Fatalf("%s accepted instead of %s", wrong, code)
				}
			}
		}
		for i := range code { // every exchange of two characters, adjacent ones among them
			for j := i + 1; j < len(code); j++ {
				if code[i] == code[j] {
					continue
				}
				b := []byte(code)
				b[i], b[j] = b[j], b[i]
				if _, err := tracking.CheckKeycode(string(b)); err == nil {
					t.Fatalf("%s accepted instead of %s", b, code)
				}
			}
		}
	}
}

// The weights alone decide which exchanges are seen, so that every pair of characters at every place is a proof for
// all codes.
func TestKeycodeTranspositionsOfAllPairs(t *testing.T) {
	t.Parallel()
	for place := range tracking.KeycodeLength - 1 {
		for _, a := range letters {
			for _, b := range letters {
				if a == b {
					continue
				}
				code := complete(t, place, byte(a), byte(b))
				swapped := []byte(code)
				swapped[place], swapped[place+1] = swapped[place+1], swapped[place]
				if _, err := tracking.CheckKeycode(string(swapped)); err == nil {
					t.Fatalf("%s accepted instead of %s", swapped, code)
				}
			}
		}
	}
}

// complete finds a valid code with a and b at place and place+1.
func complete(t *testing.T, place int, a, b byte) string {
	t.Helper()
	code := []byte("33333333")
	code[place], code[place+1] = a, b
	free := 0
	if place <= 1 {
		free = 7
	}
	for i := range letters {
		code[free] = letters[i]
		if _, err := tracking.CheckKeycode(string(code)); err == nil {
			return string(code)
		}
	}
	t.Fatalf("no valid code has %c%c at %d", a, b, place)
	return ""
}

func TestCheckKeycodeNormalFormAndMessages(t *testing.T) {
	t.Parallel()
	code := tracking.NewKeycode(randomBytes(2))
	lower := strings.ToLower(code)
	for _, s := range []string{lower, " " + code + " ", code[:4] + "-" + code[4:], lower[:4] + " " + lower[4:], code[:2] + "\u00a0" + code[2:]} {
		if got, err := tracking.CheckKeycode(s); err != nil || got != code {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
	mistyped := []byte(code)
	mistyped[0] = letters[(strings.IndexByte(letters, code[0])+1)%len(letters)]
	for s, want := range map[string]string{
		"":                "wrong length",
		code[:7]:          "wrong length",
		code + "3":        "wrong length",
		"0" + code[1:]:    "not allowed",
		"O" + code[1:]:    "not allowed",
		"l" + code[1:]:    "not allowed",
		"ſ" + code[1:]:    "not allowed",
		"\x00" + code[1:]: "not allowed",
		string(mistyped):  "mistyped",
	} {
		_, err := tracking.CheckKeycode(s)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "keycode") {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
	}
}

func TestNewKeycodeUsesEveryCharacterEvenly(t *testing.T) {
	t.Parallel()
	counts := map[byte]int{}
	random := randomBytes(3)
	const n = 20000
	for range n {
		code := tracking.NewKeycode(random)
		for i := range tracking.KeycodeLength {
			counts[code[i]]++
		}
	}
	want := n * tracking.KeycodeLength / len(letters)
	for i := range letters {
		if c := counts[letters[i]]; c < want*9/10 || c > want*11/10 {
			t.Errorf("%c: %d times, about %d expected", letters[i], c, want)
		}
	}
	if a, b := tracking.NewKeycode(nil), tracking.NewKeycode(nil); a == b {
		t.Errorf("two codes are the same: %s", a)
	}
}

func FuzzCheckKeycode(f *testing.F) {
	f.Add("ACDEFGHJ")
	f.Add("acde-fghj")
	f.Add("\xff\x00 0O1I")
	f.Fuzz(func(t *testing.T, s string) {
		normal, err := tracking.CheckKeycode(s)
		if err != nil {
			if normal != "" {
				t.Fatalf("%q: code %q beside the error", s, normal)
			}
			return
		}
		again, err := tracking.CheckKeycode(normal)
		if err != nil || again != normal || len(normal) != tracking.KeycodeLength || bytes.ContainsAny([]byte(normal), "0O1IL") {
			t.Fatalf("%q: %q, then %q, %v", s, normal, again, err)
		}
	})
}
