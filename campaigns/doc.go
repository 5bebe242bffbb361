// Package campaigns owns campaigns from the first draft to the end: objective, audience, cells, journey, budget,
// approval, launch, pause and finish. Which state may follow which is one table (state.go).
//
// What is approved is frozen: the audience's expression, the journey, the versions of its templates, the keycodes. The
// journey itself is walked by package journey; touches are planned and sent by package delivery, which is told of
// changes by the jobs ResumedArgs and CancelledArgs.
package campaigns
