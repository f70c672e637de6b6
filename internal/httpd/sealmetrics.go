package httpd

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/muniment/muniment/internal/archive"
)

// lagCollector tells how far sealing is behind.
type lagCollector struct {
	archive            *archive.Archive
	age, objects, late *prometheus.Desc
	size, stamped, gap *prometheus.Desc
}

// lagTime bounds the reading of one answer.
const lagTime = 10 * time.Second

func newLagCollector(a *archive.Archive) *lagCollector {
	return &lagCollector{archive: a,
		age:     prometheus.NewDesc("muniment_seal_oldest_seconds", "Age of the oldest object without a time stamp; 0: there is none.", nil, nil),
		objects: prometheus.NewDesc("muniment_seal_objects_unstamped", "Objects without a time stamp.", nil, nil),
		late:    prometheus.NewDesc("muniment_seal_alarm", "1: an object waits longer for its time stamp than it may.", nil, nil),
		size:    prometheus.NewDesc("muniment_log_entries", "Entries of all event logs.", nil, nil),
		stamped: prometheus.NewDesc("muniment_log_entries_stamped", "Entries up to the last checkpoints with a time stamp.", nil, nil),
		gap:     prometheus.NewDesc("muniment_log_gap", "Most entries of one event log after its last checkpoint with a time stamp.", nil, nil)}
}

// Describe implements prometheus.Collector.
func (c *lagCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.age
	out <- c.objects
	out <- c.late
	out <- c.size
	out <- c.stamped
	out <- c.gap
}

// Collect implements prometheus.Collector. What cannot be read is missing.
func (c *lagCollector) Collect(out chan<- prometheus.Metric) {
	ctx, done := context.WithTimeout(context.Background(), lagTime)
	defer done()
	lag, err := c.archive.SealLag(ctx, time.Now())
	if err != nil {
		return
	}
	late := 0.0
	if lag.Alarm {
		late = 1
	}
	out <- prometheus.MustNewConstMetric(c.age, prometheus.GaugeValue, lag.Age.Seconds())
	out <- prometheus.MustNewConstMetric(c.objects, prometheus.GaugeValue, float64(lag.Waiting+lag.Pending))
	out <- prometheus.MustNewConstMetric(c.late, prometheus.GaugeValue, late)
	c.logs(ctx, out)
}

func (c *lagCollector) logs(ctx context.Context, out chan<- prometheus.Metric) {
	list, err := c.archive.LogGaps(ctx)
	if err != nil {
		return
	}
	var size, stamped, gap int64
	for _, g := range list {
		size, stamped, gap = size+g.Size, stamped+g.Stamped, max(gap, g.Gap())
	}
	out <- prometheus.MustNewConstMetric(c.size, prometheus.GaugeValue, float64(size))
	out <- prometheus.MustNewConstMetric(c.stamped, prometheus.GaugeValue, float64(stamped))
	out <- prometheus.MustNewConstMetric(c.gap, prometheus.GaugeValue, float64(gap))
}
