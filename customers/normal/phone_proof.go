package normal

import (
	"regexp/syntax"
	"slices"
	"strconv"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// What the numbering plans say of a number follows from its length and from patterns that are matched at a few places: at its
// first digit, and where the country code and the prefix dialled within the country end. Here is proved how many leading
// digits decide all of them: after those, each pattern takes any digit there may be, or none.

// phonePatterns are the patterns that numbers of one country, or of one country code, meet.
type phonePatterns struct {
	code      string
	unknown   bool // nothing can be said
	rewritten bool // the prefix within the country is not just left out
	idd       []*syntax.Prog
	prefix    []*syntax.Prog // dialled within the country
	leading   []*syntax.Prog // by them countries that share a code are told apart
	whole     []*syntax.Prog
}

var phoneProofs struct {
	sync.Mutex
	metadata map[string]*phonenumbers.PhoneMetadata
	patterns map[string]*phonePatterns // by country, or by country code
}

// knownCountry says whether a country has a numbering plan.
func knownCountry(country string) bool { return phonenumbers.GetCountryCodeForRegion(country) != 0 }

// callingCode gives the country code that digits begin with.
func callingCode(digits []byte) string {
	codes := phonenumbers.GetSupportedCallingCodes()
	for n, code := 0, 0; n < 3 && n < len(digits) && digits[0] != 0; n++ {
		if code = code*10 + int(digits[n]); codes[code] {
			return strconv.Itoa(code)
		}
	}
	return ""
}

// depends says how many leading digits of a number the verdict on it depends on; all where that can't be said.
func (p *phoneDigits) depends(country string) int {
	phoneProofs.Lock()
	defer phoneProofs.Unlock()
	digits, at := p.digits[:p.n], 0
	if p.plus {
		country = callingCode(digits)
		at = len(country)
	}
	of := patternsOf(country)
	if of.unknown || p.plus && at == 0 {
		return p.n
	}
	for n := at + 1; n < p.n; n++ {
		if of.decided(digits[:n], p.n-n, at, p.plus) {
			return n
		}
	}
	return p.n
}

// decided says whether what comes after the leading digits does not matter, if it is tail digits long.
func (o *phonePatterns) decided(lead []byte, tail, at int, plus bool) bool {
	starts := []int{at}
	if !plus {
		for _, prog := range o.idd {
			if ends, open := run(prog, lead); open || len(ends) > 0 {
				return false
			}
		}
		if len(lead) < len(o.code) {
			return false
		}
		if slices.Equal(lead[:len(o.code)], codeDigits(o.code)) {
			starts = append(starts, len(o.code))
		}
	}
	for i := 0; i < len(starts); i++ { // a prefix may be taken off more than once
		for _, prog := range o.prefix {
			ends, open := run(prog, lead[starts[i]:])
			if open || o.rewritten && len(ends) > 0 {
				return false
			}
			for _, end := range ends {
				if end += starts[i]; !slices.Contains(starts, end) {
					starts = append(starts, end)
				}
			}
		}
	}
	for _, start := range starts {
		for _, prog := range o.leading {
			if ends, open := run(prog, lead[start:]); open && len(ends) == 0 {
				return false
			}
		}
		for _, prog := range o.whole {
			if !blind(prog, lead[start:], tail) {
				return false
			}
		}
	}
	return true
}

func codeDigits(s string) []byte {
	out := []byte(s)
	for i := range out {
		out[i] -= '0'
	}
	return out
}

// patternsOf collects the patterns of a country or of a country code.
func patternsOf(key string) *phonePatterns {
	all := &phoneProofs
	if of := all.patterns[key]; of != nil {
		return of
	}
	if all.metadata == nil {
		all.metadata, all.patterns = map[string]*phonenumbers.PhoneMetadata{}, map[string]*phonePatterns{}
		if list, err := phonenumbers.MetadataCollection(); err == nil {
			for _, m := range list.GetMetadata() {
				all.metadata[m.GetId()] = m
			}
		}
	}
	of := new(phonePatterns)
	all.patterns[key] = of
	code, err := strconv.Atoi(key)
	if err != nil {
		code = phonenumbers.GetCountryCodeForRegion(key)
		of.read(&of.idd, all.metadata[key].GetInternationalPrefix())
	}
	of.code = strconv.Itoa(code)
	regions := phonenumbers.GetRegionCodesForCountryCode(code)
	if len(regions) == 0 {
		of.unknown = true
		return of
	}
	dialled := []string{phonenumbers.GetRegionCodeForCountryCode(code)} // whose prefixes are taken off
	if err != nil && !slices.Contains(dialled, key) {
		dialled = append(dialled, key)
	}
	for _, region := range append(slices.Clone(regions), dialled...) {
		m := all.metadata[region]
		if m == nil || len(m.GetGeneralDesc().GetPossibleLength()) == 0 {
			of.unknown = true
			return of
		}
		of.read(&of.leading, m.GetLeadingDigits())
		for _, d := range []*phonenumbers.PhoneNumberDesc{m.GetGeneralDesc(), m.GetPremiumRate(), m.GetTollFree(), m.GetSharedCost(),
			m.GetVoip(), m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail(), m.GetFixedLine(), m.GetMobile()} {
			of.read(&of.whole, d.GetNationalNumberPattern())
		}
	}
	for _, region := range dialled {
		of.read(&of.prefix, all.metadata[region].GetNationalPrefixForParsing())
		of.rewritten = of.rewritten || all.metadata[region].GetNationalPrefixTransformRule() != ""
	}
	return of
}

// read adds a pattern.
func (o *phonePatterns) read(to *[]*syntax.Prog, pattern string) {
	if pattern == "" {
		return
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		o.unknown = true
		return
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		o.unknown = true
		return
	}
	for i := range prog.Inst {
		if prog.Inst[i].Op == syntax.InstEmptyWidth {
			o.unknown = true
		}
	}
	*to = append(*to, prog)
}

// threads are the places in a pattern where matching may stand.
type threads struct {
	at      []uint32 // instructions that take a digit
	matched bool
}

func (t *threads) add(prog *syntax.Prog, pc uint32, seen []bool) {
	if seen[pc] {
		return
	}
	seen[pc] = true
	switch in := &prog.Inst[pc]; in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		t.add(prog, in.Out, seen)
		t.add(prog, in.Arg, seen)
	case syntax.InstCapture, syntax.InstNop:
		t.add(prog, in.Out, seen)
	case syntax.InstMatch:
		t.matched = true
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		t.at = append(t.at, pc)
	}
}

// step takes one more digit.
func (t *threads) step(prog *syntax.Prog, digit byte) *threads {
	next, seen := new(threads), make([]bool, len(prog.Inst))
	for _, pc := range t.at {
		if in := &prog.Inst[pc]; in.MatchRune(rune('0' + digit)) {
			next.add(prog, in.Out, seen)
		}
	}
	return next
}

func begin(prog *syntax.Prog) *threads {
	t := new(threads)
	t.add(prog, uint32(prog.Start), make([]bool, len(prog.Inst)))
	return t
}

// run gives the places where a pattern may end within digits, and whether it may go on behind them.
func run(prog *syntax.Prog, digits []byte) (ends []int, open bool) {
	t := begin(prog)
	for i := 0; ; i++ {
		if t.matched {
			ends = append(ends, i)
		}
		if i == len(digits) || len(t.at) == 0 {
			return ends, len(t.at) > 0
		}
		t = t.step(prog, digits[i])
	}
}

// blind says whether a pattern makes no difference between any tail digits that come after the leading ones.
func blind(prog *syntax.Prog, lead []byte, tail int) bool {
	t := begin(prog)
	for _, d := range lead {
		t = t.step(prog, d)
	}
	for ; tail > 0 && len(t.at) > 0; tail-- {
		var next []uint32
		for _, pc := range t.at {
			takes := 0
			for d := '0'; d <= '9'; d++ {
				if prog.Inst[pc].MatchRune(d) {
					takes++
				}
			}
			switch takes {
			case 0:
			case 10:
				next = append(next, pc)
			default:
				return false
			}
		}
		t = (&threads{at: next}).step(prog, 0)
	}
	return true
}
