package campaigns

import (
	"fmt"
	"slices"
	"strings"

	"aldine/internal/fault"
)

// State is where a campaign is in its life.
type State string

// The states.
const (
	Draft     State = "draft"
	Approved  State = "approved"
	Running   State = "running"
	Paused    State = "paused"
	Finished  State = "finished"
	Cancelled State = "cancelled"
)

// States gives all states in the order of a life.
func States() []State { return []State{Draft, Approved, Running, Paused, Finished, Cancelled} }

// Action is a change of state.
type Action string

// The actions; a campaign finishes by itself.
const (
	Approve  Action = "approve"
	Withdraw Action = "withdraw"
	Launch   Action = "launch"
	Pause    Action = "pause"
	Resume   Action = "resume"
	Finish   Action = "finish"
	Cancel   Action = "cancel"
)

// changes is the one table of which action is allowed in which state, and what comes of it.
var changes = map[Action]struct {
	from []State
	to   State
	done string // "it can't be launched"
}{
	Approve:  {[]State{Draft}, Approved, "approved"},
	Withdraw: {[]State{Approved}, Draft, "changed back to a draft"},
	Launch:   {[]State{Approved}, Running, "launched"},
	Pause:    {[]State{Running}, Paused, "paused"},
	Resume:   {[]State{Paused}, Running, "resumed"},
	Finish:   {[]State{Running}, Finished, "finished"},
	Cancel:   {[]State{Draft, Approved, Running, Paused}, Cancelled, "cancelled"},
}

// After gives the state that an action leads to. Fails with Conflict, saying what to do instead, where it is not allowed.
func (s State) After(a Action) (State, error) {
	c := changes[a]
	if slices.Contains(c.from, s) {
		return c.to, nil
	}
	again := ""
	if s == c.to || a == Launch && s != Draft && s != Cancelled || a == Approve && s != Cancelled {
		again = " again"
	}
	hint := ""
	switch {
	case s == Draft && a == Launch:
		hint = ": approve it first"
	case s == Draft || s == Approved:
		hint = ": launch it first"
		if s == Draft && a == Withdraw {
			hint = ": it can be changed as it is"
		}
	case s == Paused && (a == Launch || a == Finish):
		hint = ": resume it"
	}
	state := "is " + string(s)
	if s == Draft {
		state = "is a draft"
	}
	return s, fault.New(fault.Conflict, "The campaign %s: it can't be %s%s%s", state, c.done, again, hint)
}

// Allowed gives the actions that a person may take in a state, for buttons.
func (s State) Allowed() []Action {
	var out []Action
	for _, a := range []Action{Approve, Withdraw, Launch, Pause, Resume, Cancel} {
		if slices.Contains(changes[a].from, s) {
			out = append(out, a)
		}
	}
	return out
}

// ParseState reads a state's name; "" is allowed and stays. Fails with Invalid.
func ParseState(s string) (State, error) {
	if s == "" || slices.Contains(States(), State(s)) {
		return State(s), nil
	}
	names := make([]string, 0, len(States()))
	for _, st := range States() {
		names = append(names, string(st))
	}
	return "", fault.BadField("state", "%s", fmt.Sprintf("%q is not a state: use %s", s, strings.Join(names, ", ")))
}
