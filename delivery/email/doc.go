// Package email composes mails and hands them to an SMTP relay over kept connections.
//
//	pool, err := email.Open("smtp://user:secret@relay.example:587?tls=starttls", 20)
//	body, err := email.Compose(email.Message{...})
//	err = pool.Send(ctx, "news@shop.example", "ada@customer.example", body)
//
// What Send's error says decides what becomes of the touch: Refused is final (the relay answered 5xx), Transient may be
// tried again because the mail was certainly not taken (4xx, no connection, connection lost before the end of the mail
// was handed over), Unknown means that the relay may have it (connection lost between the final dot and the answer).
// A refusal also says whether the address, the mail or its sender is at fault.
//
// The pool opens more connections while mails are taken, and fewer when the relay cuts them or turns them away. It neither sends NOOP before nor RSET after a mail; a kept connection that turns out dead is replaced once.
package email
