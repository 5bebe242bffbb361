// Package calls keeps the call lists that journeys fill and agents work.
//
// An agent leases some calls, sees script and history, calls, and reports an outcome. A lease ends by itself, so that a
// call is never lost with an agent's browser, though an outcome counts until somebody else has taken the call; two
// agents never hold the same call; an agent who asks again gets the calls still held first. A call is handed out only
// within legal local hours of every zone that its number and its address are in, only while the campaign runs, and only
// after suppression, consent and the national do-not-call registers were looked at once more. A number that a register
// lists comes off the list; while a register that is required has no file young enough, the calls that it is about wait.
//
// What an outcome means (final, person reached, when to try again and how often) is one table: Outcomes.
package calls
