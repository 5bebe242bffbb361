package bounce

// Kind says what a report means for the address.
type Kind string

// The kinds.
const (
	Hard      Kind = "hard"      // no mail will ever arrive there
	Soft      Kind = "soft"      // this one did not arrive
	Complaint Kind = "complaint" // the recipient calls it spam
	Delayed   Kind = "delayed"   // the server is still trying
	AutoReply Kind = "autoreply" // a machine answered for a person
	Unknown   Kind = "unknown"   // a report, but of what cannot be told
)

// Report is what one message says of one recipient.
type Report struct {
	Recipient string `json:"recipient"`        // "" where the message does not name it
	Kind      Kind   `json:"kind"`             //
	Cause     Cause  `json:"cause,omitempty"`  // of a bounce
	Status    string `json:"status,omitempty"` // RFC 3463, "5.1.1"; "" where none is given
	Code      int    `json:"code,omitempty"`   // the SMTP reply code, 0 where none is given
	Reason    string `json:"reason"`           // the server's own words, at most 300 characters
	MessageID string `json:"message_id,omitempty"`
	To        string `json:"to,omitempty"` // the address that the report was sent to: a signed return path says who it is about
}

// Cause is why a mail did not arrive.
type Cause string

// The causes.
const (
	NoMailbox Cause = "no_mailbox" // hard
	NoDomain  Cause = "no_domain"  // hard
	Moved     Cause = "moved"      // hard
	NoMail    Cause = "no_mail"    // hard: the host takes no mail
	Full      Cause = "full"
	Disabled  Cause = "disabled" // the mailbox is switched off for now
	TooBig    Cause = "too_big"
	Content   Cause = "content" // taken for spam, or malformed
	Policy    Cause = "policy"  // the sender is not trusted: authentication, reputation, blocks, rate
	Network   Cause = "network" // the host could not be reached
	Expired   Cause = "expired" // tried until the time was up
	System    Cause = "system"  // trouble of the server's own
	Other     Cause = "other"   // refused, with no reason that can be told
)

// kind tells whether a cause is for good.
func (c Cause) kind() Kind {
	switch c {
	case NoMailbox, NoDomain, Moved, NoMail:
		return Hard
	}
	return Soft
}
