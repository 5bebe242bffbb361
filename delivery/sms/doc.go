// Package sms sends short messages through an HTTP gateway and counts the segments a text is billed as.
//
//	encoding, n := sms.Segments("Roses from €5")  // GSM-7, 1
//	g, err := sms.NewGateway("https://gateway.example/messages", token)
//	ref, err := g.Send(ctx, sms.Message{ID: "12-34-56", To: "+4930901820", From: "ALDINE", Text: "..."})
//
// The gateway gets one JSON object per message; its id is the touch's own stable name, so that a gateway which
// remembers ids sends a repeated message once. What Send's error says decides what becomes of the touch: Refused is
// final, Transient may be tried again because the gateway certainly did not take the message, Unknown means that it
// may have.
package sms
