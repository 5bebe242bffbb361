package proof_test

import (
	"sync"
	"testing"

	"aldine/campaigns/rollup/rolluptest"
)

// Acts drawn at random, three at a time and with the jobs that they cause, while figures are folded: each change has its mark.
func TestFiguresFollowWhateverHappens(t *testing.T) {
	t.Parallel()
	randomActs(t, 240)
}

func randomActs(t *testing.T, n int) {
	w := newWorld(t)
	rolluptest.Follow(t, w.pool)
	stop := w.work()
	w.must(w.launch())
	w.rest()
	var bag []act
	for _, a := range acts {
		for range a.weight {
			bag = append(bag, a)
		}
	}
	var mu sync.Mutex
	done, refused := map[string]int{}, map[string]error{}
	jobs := make(chan act)
	var hands sync.WaitGroup
	for range 3 {
		hands.Go(func() {
			for a := range jobs {
				err := a.do(w)
				mu.Lock()
				if err == nil {
					done[a.name]++
				} else {
					refused[a.name] = err
				}
				mu.Unlock()
				if err := told(err); err != nil {
					t.Errorf("%s: %v", a.name, err)
				}
			}
		})
	}
	for range n {
		jobs <- bag[w.any(len(bag))]
	}
	close(jobs)
	hands.Wait()
	w.must(w.wake())
	w.rest()
	stop()
	for _, a := range acts {
		if done[a.name] == 0 && n >= 1000 {
			t.Errorf("%s was always refused: %v", a.name, refused[a.name])
		}
	}
	var touches, responses, orders int64
	w.must(w.pool.QueryRow(w.ctx, `SELECT (SELECT count(*) FROM touches), (SELECT count(*) FROM responses), (SELECT count(*) FROM attributions)`).Scan(&touches, &responses, &orders))
	if touches == 0 || responses == 0 || orders == 0 {
		t.Errorf("%d touches, %d responses, %d credited orders: nothing to prove", touches, responses, orders)
	}
	t.Logf("%d acts: %d touches, %d responses, %d credited orders; done %v", n, touches, responses, orders, done)
}
