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
}

// lagTime bounds the reading of one answer.
const lagTime = 10 * time.Second

func newLagCollector(a *archive.Archive) *lagCollector {
	return &lagCollector{archive: a,
		age:     prometheus.NewDesc("muniment_seal_oldest_seconds", "Age of the oldest object without a time stamp; 0: there is none.", nil, nil),
		objects: prometheus.NewDesc("muniment_seal_objects_unstamped", "Objects without a time stamp.", nil, nil),
		late:    prometheus.NewDesc("muniment_seal_alarm", "1: an object waits longer for its time stamp than it may.", nil, nil)}
}

// Describe implements prometheus.Collector.
func (c *lagCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.age
	out <- c.objects
	out <- c.late
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
}
