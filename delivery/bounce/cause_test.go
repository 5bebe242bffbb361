package bounce

import "testing"

// A word counts only where it stands by itself, not where it is part of another one.
func TestWordsWithinWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words string
		cause Cause
	}{
		{"550 message blocked", Policy},
		{"550 mail from 192.0.2.1 was blocked by our administrator", Policy},
		{"550 unblocked sender list only", ""},
		{"550 this account is locked", Disabled},
		{"550 the account has expired", Disabled},
		{"550 the user has not disclosed why", ""},
		{"550 mx.workshops.example says no", ""},
		{"550 too few hops left", Network},
		{"550 corporate limit of the sales team", ""},
		{"550 rate limit reached", Policy},
		{"550 separate limits hold for partners", ""},
		{"550 filename.txt is unknown to us", ""},
		{"550 the user name is unknown", NoMailbox},
		{"550 host 10.5.1.1 said no", ""},
		{"550 5.1.1 <anna@example.org>", NoMailbox},
		{"550-5.1.1 said so", NoMailbox},
		{"550 casino mx said no", ""},
		{"550 no mx for the domain", NoDomain},
		{"550 unlisted in the directory of partners", ""},
		{"550 you are listed by our partners", Policy},
		{"550 the host has downloads only", ""},
		{"550 the host is down", Network},
		{"550 it was a banned word", Policy},
		{"550 turbanned visitors only", ""},
		{"550 knot a valid thing", ""},
		{"550 bad ipsum", ""},
		{"552 techno space is closed to you", ""},
		{"552 no space left", Full},
		{"550 flexit mode", ""},
		{"550 command exited 75", System},
	} {
		if got := causeOfWords(c.words); got != c.cause {
			t.Errorf("%q: %q, want %q", c.words, got, c.cause)
		}
	}
}
