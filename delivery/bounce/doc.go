// Package bounce reads what comes back by mail: reports of mail servers that could not deliver, complaints that mailbox
// providers pass on, and automatic replies of people. It is pure: no database, no network.
//
//	reports, err := bounce.Parse(file)
//
// A message holds one Report for each recipient it speaks of, and none where it is no answer of a machine. What is looked
// at, in this order:
//
//   - feedback reports (RFC 5965) and the plainer forms of some providers: complaints;
//   - automatic replies (RFC 3834): no bounce and no response of a person;
//   - delivery status notifications (RFC 3464), field by field;
//   - JSON notifications of a mail service;
//   - plain prose, for the servers that never learned the standard.
//
// A bounce is hard where the address or its domain does not exist, has moved or takes no mail at all: no later mail will
// arrive. Everything else is soft, policy and reputation included, for those are the sender's fault and say nothing of
// the address. What the words say counts more than the status code, which many servers choose badly.
package bounce
