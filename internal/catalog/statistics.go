package catalog

import (
	"context"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// statisticsDays is how many days Statistics lists.
const statisticsDays = 30

// Statistics are the numbers of a tenant. What was deleted is in none but the days, which
// tell what was stored then, and in when the first and the last message came.
type Statistics struct {
	Messages      int64
	RawBytes      int64 // of the originals
	StoredBytes   int64 // of the segments and their keys
	Segments      int64
	FirstReceived time.Time // zero if there are no messages
	LastReceived  time.Time
	Days          []DayCount // the 30 days up to today (UTC), oldest first, days without messages included
}

// DayCount is what was stored on a day.
type DayCount struct {
	Day   string // 2006-01-02 in UTC
	Count int64
	Bytes int64
}

// Statistics returns the numbers of a tenant as of now. It reads counters, not messages,
// and so takes the same time however many there are; days come from the
// accounts of what was stored, and of what was released since.
func (c *Catalog) Statistics(ctx context.Context, tenant uid.ID, now time.Time) (*Statistics, error) {
	h, err := readHead(ctx, c.read.NewSelect(), tenant)
	if err != nil {
		return nil, c.wrap(err, "statistics")
	}
	s := &Statistics{Messages: int64(h.Seq - h.Erased), RawBytes: int64(h.RawBytes - h.ErasedBytes)}
	if h.Seq > 0 {
		s.FirstReceived, s.LastReceived = h.FirstReceived.millis(), h.LastReceived.millis()
	}
	q := c.read.NewSelect().Table("segment").ColumnExpr("COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT)").Where("tenant = ?", tenant)
	if err := q.Scan(ctx, &s.Segments, &s.StoredBytes); err != nil {
		return nil, c.wrap(err, "statistics")
	}
	s.Days = make([]DayCount, statisticsDays)
	at := make(map[string]*DayCount, statisticsDays)
	today := now.UTC()
	for i := range s.Days {
		s.Days[i].Day = today.AddDate(0, 0, i+1-statisticsDays).Format(time.DateOnly)
		at[s.Days[i].Day] = &s.Days[i]
	}
	accounts, err := c.Accounts(ctx, tenant, s.Days[0].Day, s.Days[statisticsDays-1].Day)
	if err != nil {
		return nil, c.wrap(err, "statistics")
	}
	for _, a := range accounts {
		if d := at[a.Day]; d != nil && (a.Outcome == Stored || a.Outcome == ReleasedLater) {
			d.Count += a.Count
			d.Bytes += a.Bytes
		}
	}
	return s, nil
}

// TenantSize is what Statistics reads of a tenant without its days.
type TenantSize struct {
	Vault         VaultSize
	FirstReceived time.Time // zero if there are no messages
	LastReceived  time.Time
}

// TenantSize returns how much there is of a tenant, and since when.
func (c *Catalog) TenantSize(ctx context.Context, tenant uid.ID) (*TenantSize, error) {
	h, err := readHead(ctx, c.read.NewSelect(), tenant)
	if err != nil {
		return nil, c.wrap(err, "size of tenant %s", tenant)
	}
	s := &TenantSize{}
	if h.Seq > 0 {
		s.FirstReceived, s.LastReceived = h.FirstReceived.millis(), h.LastReceived.millis()
	}
	err = c.read.NewSelect().Table("segment").ColumnExpr("CAST(COALESCE(SUM(size), 0) AS BIGINT), CAST(COALESCE(SUM(raw_size), 0) AS BIGINT)").
		Where("tenant = ?", tenant).Scan(ctx, &s.Vault.Stored, &s.Vault.Unpacked)
	return s, c.wrap(err, "size of tenant %s", tenant)
}
