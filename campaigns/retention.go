package campaigns

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/internal/queue"
)

// ForgetRentedArgs erases rented names whose licence is over and who have not responded in time.
type ForgetRentedArgs struct{}

// Kind names the job.
func (ForgetRentedArgs) Kind() string { return "rented_forget" }

// InsertOpts puts the job on its queue; one at a time is enough.
func (ForgetRentedArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Imports, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: forgetEvery}}
}

const forgetEvery = time.Hour

// forgetRented goes through all rented names in slices; one that is stopped begins again the next time.
func (s *Service) forgetRented(ctx context.Context) error {
	ctx = access.With(ctx, access.System)
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(v.DefaultTimeZone)
	if err != nil {
		return err
	}
	now := s.now()
	f := customers.Forgetting{Today: now.In(zone).Format(time.DateOnly), Before: now.AddDate(0, 0, -max(v.RentedKeepDays, v.MatchbackPostDays+1))}
	erased := int64(0)
	for {
		n, last, err := s.customers.ForgetRented(ctx, f)
		erased += n
		if err != nil {
			return err
		}
		if last == 0 {
			break
		}
		f.After = last
	}
	if erased > 0 {
		s.log.Info("rented names whose licence is over were erased", "names", erased)
	}
	return nil
}
