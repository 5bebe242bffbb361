// Package sandbox stands in for the outside world: a real SMTP server and a real HTTP gateway for short messages on
// loopback ports, which store what they get instead of passing it on. It is the default, so that nothing leaves the
// machine by accident, and it goes through the same wires as a relay would.
//
//	box, err := sandbox.Start(pool, time.Now, log)
//	defer box.Close()
//	// box.SMTPURL(), box.SMSURL() and box.Token() are the addresses for the senders
//	page, err := sandbox.Messages(ctx, pool, sandbox.Query{Limit: 50})
//
// A message is answered with yes only after it is stored; messages that arrive together are committed together.
package sandbox
