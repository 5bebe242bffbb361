// Package inbound takes in what comes back by mail: bounces, complaints, automatic replies, people's answers and
// unsubscriptions.
//
//	s := inbound.New(inbound.Deps{...})
//	result, err := s.Receive(ctx, "b-...@bounces.shop.example", raw) // a raw message that another program hands over
//	server, err := s.Listen("127.0.0.1:2525", nil, inbound.Limits{})      // or the mails themselves, by SMTP
//
// A mail is about the touch whose signed return path it came to, or else a signed address or link of which it quotes, or else
// whose Message-ID it names together with the address that the touch went to, or else the latest one to that address. Only the first
// two are proof. What the listener takes in without proof suppresses nobody's address by a single bounce: anybody could write
// it.
//
// The listener relays nothing. It takes mail to signed addresses, to a few names at the bounce domain and to the sender's own
// address; all else does not exist (550 5.1.1). A mail is answered with 250 after its commit, with 451 where it could not be
// stored. The same mail again changes nothing: it is known by the hash of its content.
package inbound
