package bounce

import (
	"regexp"
	"strings"
)

// phrases tell the cause by words. The order counts: what says why a server mistrusts the sender comes before what says
// that the address was not taken, since a refusal for policy often names the recipient too.
var phrases = []struct {
	cause Cause
	any   *regexp.Regexp
}{
	// The mail or the server that sends it is named: the address may be good all the same.
	{Policy, words(`\b(spf|dkim|dmarc|rdns|helo|ehlo|rbl|dnsbl|ptr)\b|sender id|authenticat|reverse dns|reputation|black ?list|block ?list|spamhaus|spamcop|barracuda|` +
		`\b(sender|from|envelope)( address| domain)?:? .{0,40}(reject|denied|invalid|not exist|unknown|verif|not found|refused|must|not allowed)|your (ip|domain|server|host|message was blocked)|client host|` +
		`\bbad ip\b|purported|\brelay(ing)? (access )?(denied|not|prohibited)|unable to relay|cannot relay|(not (allowed|permitted|authori[sz]ed)|unable|denied) (to )?relay|after mail from|unroutable sender|\brate ?limit|throttl|gr[ae]y ?list|unsolicited`)},
	{NoMail, words(`null ?mx|(not|n't) (accept|receive) (any )?(e-?mail|mail|messages)\b|not accepting (any )?(mail|network)|accepts no mail|no longer accepts mail`)},
	{Moved, words(`\b(has|was) moved|no longer at this|changed (his|her|their) (e-?mail )?address|new address is|551[ -]5\.1\.6`)},
	{System, words(`procmail|couldn't create|maildrop|command died`)},
	{Full, words(`(mail ?box|in-?box|folder|account|disk|storage|user)[^.]{0,40}\bfull\b|over ?quota|quota[^.]{0,20}(exceed|full|reach|used)|exceed[^.]{0,60}(quota|storage|mailbox|local limit|disk)|` +
		`\b(not enough|insufficient|out of|no) (disk|storage|system storage|space)\b|too many messages in|number of messages in recipient|receiving (mail|too much)`)},
	{TooBig, words(`too (big|large)\b|size limit|(message|mail|content|size|attachment)[^.]{0,40}exceed|exceed[^.]{0,40}(size|limit|maximum)|larger than|message length`)},
	{NoDomain, words(`(unknown|bad|invalid|unroutable|unrouteable|no such) (destination )?(host|domain|mail domain|mail server|system)|(host|domain)( name)?[^.]{0,40}(unknown|not (be )?(found|reachable)|unroutable|unrouteable|does( not|n't) exist|not resolv)|` +
		`unroute?able|nxdomain|\bno mx\b|name service error|all host address lookups failed|could( not|n't) (find|resolve)[^.]{0,30}(host|domain)|bad destination (host|system)|dns (lookup fail|error)|get any mx`)},
	{NoMailbox, words(`recipient address rejected: access denied|user ?unknown|unknown ?user|unknown (user|recipient|local|address|account|mailbox|or illegal)|` +
		`\bno such (\w+ )?(user|recipient|address|mailbox|account|person|customer|alias|name)|no (mailbox|account|user|one) (here )?(by|with) that|` +
		`(user|recipient|mail ?box|address|account|addressee|\bname|username|\brcpt)( name)?.{0,60}?(unknown|not (be )?(found|listed|recogni[sz]ed|known|exist)|do(es)? ?n[o']?t exist|unrecogni[sz]ed|no longer (exist|valid|available|on|in|with|active)|undeliverable|isn't)|` +
		`(invalid|bad destination|illegal|undefined|incorrect|nonexist[ae]nt) ?(local )?(user|recipient|mailbox|address|account|addressee|alias|name|e-?mail)|\bnot (a|our|an) (valid|known|local|customer|registered)|` +
		`(unable to find|can(no|')t find|could( not|n't) find) (the )?(user|recipient|mailbox)|recip(ient)? ?not ?found|resolver\.adr\.|destination addresses were unknown|addressee unknown|` +
		`do(es)?( not|n't) have an? .{0,40}account|isn't in my|no valid recipient|action not taken: mailbox unavailable|recipient address rejected\.?$|(^|[^0-9.])5\.1\.1[^0-9.]|(^|[^0-9.])5\.1\.10 `)},
	{Disabled, words(`disabled|suspended|inactive|deactivated|\bnot active\b|\blocked\b|(account|mailbox|user)[^.]{0,30}\b(closed|expired|unavailable|blocked)|\bon hold\b|discontinued`)},
	{Content, words(`spam|junk|\bbulk\b|virus|malware|infected|phish|malformed|(invalid|missing|duplicate) (\w+ )?(header|message|mime|from|date|message-id)|rfc ?5?[28]2[12]|bare (lf|newline|cr)|dangerous|forbidden (attachment|file)`)},
	{Expired, words(`expired|timed? ?out|time ?out exceeded|(queue|retry|delivery)[^.]{0,30}(too long|time)|undeliverable for|(have|has) been in the queue|will (keep|continue) (on )?trying|(within|for|after) [0-9]+ (hours|days|minutes)|still being retried|deferred`)},
	{Network, words(`connection (was )?(refused|reset|lost|dropped|closed)|(could|can|did)( not|n't) connect|unable to connect`)},
	{Policy, words(`\bblocked|\bbanned|access denied|not (allowed|permitted|authori[sz]ed)|polic(y|ies)|denied|too many|try again later|temporarily rejected|refused|\btls\b|\bssl\b|encrypt|certificate|security|\blisted (at|in|by)\b|untrusted|prohibited|permission`)},
	{Network, words(`connect|network|\bno route|unreachable|not respond|\bno answer|conversation|\bhost[^.]{0,20}\bdown\b|\bloop|\bhops\b|\bhop count|smtp session`)},
	{System, words(`(local|system|internal|configuration|i/o|disk|mailer) (error|problem|failure|config)|resources|command (failed|not found|output|line|died)|\bpipe\b|procmail|\bexit(ed)? |cannot (open|create|append)|couldn't create|service (unavailable|not available)|local delivery`)},
}

func words(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?is)` + pattern) }

// sure tells whether a status says by itself what the words cannot undo: RFC 3463 has a code of its own for a mailbox that
// exists and takes nothing at present, and a passing error of the name service is no proof.
func sure(c Cause, status string, code int) Cause {
	passing := strings.HasPrefix(status, "4.") || status == "" && code/100 == 4
	switch {
	case status == "5.2.1":
		return Disabled
	case passing && (c == NoDomain || c == NoMail):
		return Network
	}
	return c
}

// causeOfWords gives "" where the words tell nothing.
func causeOfWords(s string) Cause {
	s = s[:min(len(s), maxWords)]
	s = strings.ToLower(strings.Join(strings.Fields(s), " "))
	if s == "" {
		return ""
	}
	for _, p := range phrases {
		if p.any.MatchString(s) {
			return p.cause
		}
	}
	return ""
}

// causeOfStatus reads RFC 3463's codes, class and subject first.
func causeOfStatus(status string, code int) Cause {
	if strings.HasPrefix(status, "4") || status == "" && code/100 == 4 {
		if strings.HasPrefix(status, "4.4.7") {
			return Expired
		}
		if status == "4.2.2" {
			return Full
		}
		return Network
	}
	_, rest, _ := strings.Cut(status, ".")
	subject, detail, _ := strings.Cut(rest, ".")
	switch subject {
	case "1":
		switch detail {
		case "1", "3", "0", "4", "5":
			return NoMailbox
		case "2":
			return NoDomain
		case "6":
			return Moved
		case "10":
			return NoMail
		}
		return Policy // the sender's address
	case "2":
		switch detail {
		case "1":
			return Disabled
		case "2":
			return Full
		case "3":
			return TooBig
		}
		return Other
	case "3":
		if detail == "4" {
			return TooBig
		}
		return System
	case "4":
		switch detail {
		case "4":
			return NoDomain
		case "7":
			return Expired
		}
		return Network
	case "6":
		return Content
	case "7":
		return Policy
	}
	switch code {
	case 521, 556:
		return NoMail
	case 551:
		return Moved
	case 552:
		return Full
	case 553:
		return NoMailbox
	}
	return Other
}
