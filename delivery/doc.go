// Package delivery plans touches and sends them.
//
// Planning (Service.PlanTx, called by the journey engine for one step and one slice of customers) is a family of set
// statements: every candidate becomes one touch, planned or excluded with its reason, in this order: control,
// deleted, no_address, suppressed, no_consent, licence (of a rented name), what a do-not-call register says, then duplicate,
// household, address or company (reason_ref names the customer who has it), then budget. What the planned ones will cost is
// reserved in the same transaction, and so are the jobs that send them.
//
// Of a household, address or company the best customer who can be contacted gets the piece: who spent most, then who bought
// last, then the lowest number. A group is decided as a whole, in the transaction of the first slice that has one of it, with
// its members who stand at the step in other slices; the journey engine holds such a step until all of the audience have come
// (package journey, groups.go). Who is in the control cell, walks another branch or is not due takes no part. Persons, e-mails and phones do not wait:
// the best of the first slice gets the piece. Where the budget ends, the best is excluded for it, and nobody steps in.
//
// Sending is at most once. A touch goes
//
//	planned -> sending -> sent | failed | unconfirmed (-> bounced, when a bounce comes back)
//	planned -> excluded (suppressed, without consent or deleted by now, or the campaign was cancelled)
//
// A job works through its customers in small groups. It claims a group (planned -> sending) and commits, hands each
// message over, and commits what became of each together with the cost and the freed reservation. Where the process
// dies in between, nobody knows which messages of the group were taken: the job, when it runs again, turns what its
// earlier attempt left in sending into unconfirmed and never sends that by itself; a person may, with
// ResolveUnconfirmed. A message that was certainly not taken (no connection, a 4xx answer, a gateway's 5xx) goes back to
// planned and the job is tried again later. A job that was given to another process while the first one was only slow
// is harmless: claims are exclusive, and the slow one's result still counts for what it had claimed.
//
// Letters need no unconfirmed: nothing has left the house until the run's folder is complete and has its final name.
// A call's touch is sending while it is on the call list, sent once a person was reached, and failed when the tries are used up.
//
// The media are in the packages below: email, sms, post, calls; sandbox stands in for the outside world.
package delivery
