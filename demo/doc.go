// Package demo makes a believable direct marketer out of nothing: customers with orders, lists with prices, a campaign
// that has run over all four media and one that is running. Nothing in it is a short cut: files go through the
// importer, campaigns through approval and the queue, mails and messages through the sandbox's real servers, clicks
// through HTTP. Only the clock is moved, so that two months pass in half a minute.
//
// People are drawn from a seeded generator. Phone numbers come from ranges that the numbering authorities keep free
// for fiction, e-mail addresses from domains reserved for examples.
package demo
