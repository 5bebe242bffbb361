package delivery_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMails sends mails through the queue to the sandbox, which stores them: the whole way, both ends included.
func BenchmarkMails(b *testing.B) {
	w := newWorld(b)
	s := w.step("email", "customer", "0.001")
	w.exec(`WITH c AS (INSERT INTO customers (first_name, last_name, email, created_at, updated_at)
			SELECT 'P' || i, 'Smith', 'p' || i || '@x.example', now(), now() FROM generate_series(1, @n::int) i RETURNING customer_id)
		INSERT INTO enrollments (customer_id, campaign_id, version, cell_id, step_id, due_at, state, entered_at, updated_at)
		SELECT customer_id, @campaign, 1, @cell, @step, @now, 'active', @now, @now FROM c`,
		pgx.NamedArgs{"n": b.N, "campaign": w.campaign, "cell": w.cells[0], "step": s.ID, "now": start})
	planned := time.Now()
	w.plan(s, 0, everybody)
	b.ReportMetric(float64(b.N)/time.Since(planned).Seconds(), "planned/s")
	b.ResetTimer()
	before, at := cpu(), time.Now()
	w.work(w.delivery)
	b.ReportMetric(float64(b.N)/time.Since(at).Seconds(), "mails/s")
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "µs-cpu/mail")
	if got := w.counts(s); got != fmt.Sprintf("sent:%d", b.N) {
		b.Fatal(got)
	}
}
