package normal

import "strings"

// titles, suffixes and particles say nothing of who somebody is.
var titles = words("mr mrs ms miss mx dr prof professor sir dame lady lord rev reverend fr hon capt captain col colonel maj major lt sgt " +
	"herr frau fraeulein dipl ing mag m mme mlle monsieur madame mademoiselle sr sra srta senor senora don dona de heer mevrouw dott sig signora master madam")

var suffixes = words("jr jnr junior sr snr senior ii iii iv esq esquire phd md dds dvm cpa mba msc bsc ma ba obe mbe cbe kbe qc kc rn jd llm llb")

var particles = words("van von der den de del della di da das dos du la le los las ten ter zu zum zur af av el al bin ibn")

// joined are first parts of names that are written with or without a space.
var joined = words("mc mac o st saint")

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// GivenName standardises a given name: the first name that is not a title, and what follows it.
func GivenName(s string) (first, rest string) {
	parts := strings.Fields(Fold(s))
	for len(parts) > 1 && titles[parts[0]] {
		parts = parts[1:]
	}
	for len(parts) > 1 && suffixes[parts[len(parts)-1]] {
		parts = parts[:len(parts)-1]
	}
	if len(parts) == 0 {
		return "", ""
	}
	return parts[0], strings.Join(parts[1:], " ")
}

// FamilyName standardises a surname: without suffixes and particles, unless nothing else is left; a double name keeps
// both parts, with a space between them.
func FamilyName(s string) string {
	s = Fold(s)
	if strings.IndexByte(s, ' ') < 0 {
		return s
	}
	for {
		short := withoutParticles(s)
		if short == s {
			return s
		}
		s = short
	}
}

func withoutParticles(s string) string {
	parts := strings.Fields(s)
	for len(parts) > 1 && suffixes[parts[len(parts)-1]] {
		parts = parts[:len(parts)-1]
	}
	kept := parts[:0:0]
	for i, p := range parts {
		switch {
		case particles[p] && (i < len(parts)-1 || len(kept) > 0):
		case i > 0 && joined[parts[i-1]]:
			kept[len(kept)-1] += p
		default:
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " ")
}

// SplitName parts a whole name, "Anna Smith" or "Smith, Anna", into given and family names as written.
func SplitName(s string) (given, family string) {
	if len(s) > MaxText {
		s = strings.ToValidUTF8(s[:MaxText], "")
	}
	if before, after, ok := strings.Cut(s, ","); ok {
		rest, _ := GivenName(after)
		if rest != "" && !suffixes[rest] {
			return after, before
		}
		s = before
	}
	parts := strings.Fields(s)
	for len(parts) > 1 && titles[Fold(parts[0])] {
		parts = parts[1:]
	}
	for len(parts) > 1 && suffixes[Fold(parts[len(parts)-1])] {
		parts = parts[:len(parts)-1]
	}
	if len(parts) < 2 {
		return strings.Join(parts, " "), ""
	}
	at := len(parts) - 1
	for at > 1 && particles[Fold(parts[at-1])] {
		at--
	}
	return strings.Join(parts[:at], " "), strings.Join(parts[at:], " ")
}
