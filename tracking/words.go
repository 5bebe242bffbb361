package tracking

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// keyword is what a text message asks for.
type keyword string

const (
	wordNone  keyword = ""
	wordStop  keyword = "stop"
	wordStart keyword = "start"
	wordHelp  keyword = "help"
)

// whole messages that are keywords, in the form of plainWords.
var whole = map[string]keyword{
	"STOP": wordStop, "STOPALL": wordStop, "STOP ALL": wordStop, "UNSUBSCRIBE": wordStop, "UNSUB": wordStop, "CANCEL": wordStop,
	"END": wordStop, "QUIT": wordStop, "REVOKE": wordStop, "OPT OUT": wordStop, "OPTOUT": wordStop, "REMOVE": wordStop, "S T O P": wordStop,
	"START": wordStart, "UNSTOP": wordStart, "SUBSCRIBE": wordStart, "OPT IN": wordStart, "OPTIN": wordStart,
	"HELP": wordHelp, "INFO": wordHelp,
}

// polite words around a keyword change nothing.
var polite = map[string]bool{"PLEASE": true, "PLS": true, "PLZ": true, "NOW": true, "THANKS": true, "THANK": true, "YOU": true, "HI": true, "HELLO": true}

// requests are ways in which people say stop in their own words; a withdrawal counts however it is put.
var requests = regexp.MustCompile(`\b(UNSUBSCRIBE|OPT (ME )?OUT|OPTOUT|STOPALL|TAKE ME OFF|REMOVE (ME|MY NUMBER|THIS NUMBER)|LEAVE ME ALONE|` +
	`REVOKE (MY )?CONSENT|WITHDRAW (MY )?CONSENT|DELETE MY NUMBER|LOSE MY NUMBER|` +
	`(STOP|QUIT|CEASE|END) (ALL |THE |THESE |THIS |YOUR )?(TEXT|TEXTS|TEXTING|MESSAGE|MESSAGES|MESSAGING|SMS|MSG|MSGS|SENDING|CONTACTING|SPAM|SPAMMING|ADS|MARKETING)|` +
	`(DO NOT|DONT|DON T|NEVER) (TEXT|SMS|MESSAGE|CONTACT|WRITE|SEND)|NO MORE (OF )?(THESE |YOUR )?(TEXT|TEXTS|MESSAGE|MESSAGES|SMS|ADS))\b`)

var keepOn = regexp.MustCompile(`\b(DO NOT|DONT|DON T|NEVER) (STOP|CANCEL|END|QUIT|UNSUBSCRIBE|REMOVE|OPT)\b`)

// plainWords gives a message's words in capital letters, without punctuation, emoji and the like; full-width and
// other compatible forms of letters become plain ones.
func plainWords(text string) []string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(clean(strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(text), 2000)) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToUpper(r))
		case r == '\'' || r == '\u2019': // DON'T is one word
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Fields(b.String())
}

// readKeyword finds out what a message asks for. A message that begins with STOP and is short counts as one: to
// bother somebody who wanted to be left alone is worse than to lose one who did not.
func readKeyword(text string) keyword {
	words := plainWords(text)
	if len(words) == 0 {
		return wordNone
	}
	if w := whole[strings.Join(words, " ")]; w != wordNone {
		return w
	}
	core := words
	for len(core) > 0 && polite[core[0]] {
		core = core[1:]
	}
	for len(core) > 0 && polite[core[len(core)-1]] {
		core = core[:len(core)-1]
	}
	if w := whole[strings.Join(core, " ")]; w != wordNone {
		return w
	}
	all := strings.Join(words, " ")
	if keepOn.MatchString(all) {
		return wordNone
	}
	if requests.MatchString(all) || len(core) > 0 && len(core) <= 3 && (core[0] == "STOP" || core[0] == "STOPP") {
		return wordStop
	}
	return wordNone
}

// codeIn finds a keycode among a message's words, written in one piece or in two halves.
func codeIn(text string) string {
	words := plainWords(text)
	for i, w := range words {
		if code, problem := checkKeycode(w); problem == "" {
			return code
		}
		if i+1 < len(words) {
			if code, problem := checkKeycode(w + words[i+1]); problem == "" {
				return code
			}
		}
	}
	return ""
}
