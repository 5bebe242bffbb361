package campaigns

import (
	"strings"
	"testing"

	"aldine/internal/fault"
)

func TestEveryChangeOfState(t *testing.T) {
	t.Parallel()
	allowed := map[State]map[Action]State{
		Draft:    {Approve: Approved, Cancel: Cancelled},
		Approved: {Withdraw: Draft, Launch: Running, Cancel: Cancelled},
		Running:  {Pause: Paused, Finish: Finished, Cancel: Cancelled},
		Paused:   {Resume: Running, Cancel: Cancelled},
	}
	for _, s := range States() {
		for _, a := range []Action{Approve, Withdraw, Launch, Pause, Resume, Finish, Cancel} {
			got, err := s.After(a)
			want, ok := allowed[s][a]
			switch {
			case ok && (err != nil || got != want):
				t.Errorf("%s, %s: %s, %v; want %s", s, a, got, err, want)
			case !ok && (!fault.Is(err, fault.Conflict) || got != s || !strings.Contains(err.Error(), "it can't be ")):
				t.Errorf("%s, %s: %s, %v; want a Conflict and no change", s, a, got, err)
			}
		}
	}
	for s, a := range map[State]map[Action]string{
		Running:  {Launch: "The campaign is running: it can't be launched again"},
		Draft:    {Launch: "The campaign is a draft: it can't be launched: approve it first", Pause: "The campaign is a draft: it can't be paused: launch it first"},
		Finished: {Cancel: "The campaign is finished: it can't be cancelled", Launch: "The campaign is finished: it can't be launched again"},
		Paused:   {Pause: "The campaign is paused: it can't be paused again"},
	} {
		for action, want := range a {
			if _, err := s.After(action); err == nil || err.Error() != want {
				t.Errorf("%s, %s: %v; want %s", s, action, err, want)
			}
		}
	}
}
