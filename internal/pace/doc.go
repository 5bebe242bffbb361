// Package pace says when and how many messages may go: hours of the week (Window), and the daily volume of a new sender that
// grows from day to day (Ramp).
//
//	w, err := pace.ParseWindow("mon-fri 09:00-20:00 local")
//	next := w.Next(now, zone)  // now, where the window is open
//	end := w.End(now, zone)    // when it closes
//
// A window is what a clock on the wall says: where clocks are set forward, hours that do not exist are not in it, and where
// they are set back, the hour that comes twice is in it twice. Days name the evening on which a window over midnight begins.
//
// A ramp counts in the database, one row for a sender and day, so that all processes share it. Whoever is about to send takes a
// number (TakeTx) in the transaction that claims the messages, and gives back (GiveBack) what was not handed over. A process that dies
// between the two leaves the day's count too high, never too low.
package pace
