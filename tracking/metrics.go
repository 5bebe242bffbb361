package tracking

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	hits      *prometheus.CounterVec // kind, machine
	failed    *prometheus.CounterVec // kind
	commits   prometheus.Counter
	responses *prometheus.CounterVec // kind, state
}

func newMetrics(r prometheus.Registerer, depth func() float64) metrics {
	m := metrics{
		hits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aldine_tracking_hits_total", Help: "Stored hits on tracked links and pixels.",
		}, []string{"kind", "machine"}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aldine_tracking_hits_failed_total", Help: "Hits that could not be stored; clicks were redirected all the same.",
		}, []string{"kind"}),
		commits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "aldine_tracking_commits_total", Help: "Commits that stored hits, each many at once.",
		}),
		responses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aldine_tracking_responses_total", Help: "Responses reported by other programs and by SMS.",
		}, []string{"kind", "state"}),
	}
	if r != nil {
		r.MustRegister(m.hits, m.failed, m.commits, m.responses, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "aldine_tracking_queue_depth", Help: "Hits that wait for the next commit.",
		}, depth))
	}
	return m
}
