package archive

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/muniment/muniment/internal/catalog"
)

// backupSetting is the name under which the last report is kept.
const backupSetting = "backup"

// Backup is what somebody's script has reported of backups. The archive makes none by
// itself, and cannot tell whether a report is true.
type Backup struct {
	At     time.Time `json:"at"`               // of the report
	OKAt   time.Time `json:"ok_at,omitzero"`   // of the last report of success
	Failed bool      `json:"failed,omitempty"` // the last one is of a failure
	Note   string    `json:"note,omitempty"`   // in the words of the script
}

// ReportBackup keeps that a backup has ended, well or not, for the dashboard. ErrInvalid
// if the note is no short line.
func (a *Archive) ReportBackup(ctx context.Context, failed bool, note string) (*Backup, error) {
	if err := checkName(note); err != nil {
		return nil, err
	}
	old, err := a.Backup(ctx)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	b := &Backup{At: a.now().UTC().Truncate(time.Millisecond), Failed: failed, Note: note}
	if b.OKAt = b.At; failed {
		b.OKAt = time.Time{}
		if old != nil {
			b.OKAt = old.OKAt
		}
	}
	row := &catalog.InstanceSetting{Name: backupSetting}
	if row.Settings, err = json.Marshal(b); err != nil {
		return nil, err
	}
	details := map[string]string{"failed": strconv.FormatBool(failed)}
	if note != "" {
		details["note"] = note
	}
	return b, a.catalog.SetInstanceSetting(ctx, row, a.cliEvent("backup.reported", "", details))
}

// Backup returns what was reported last; nil: nothing was.
func (a *Archive) Backup(ctx context.Context) (*Backup, error) {
	row, err := a.catalog.InstanceSetting(ctx, backupSetting)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b := new(Backup)
	return b, json.Unmarshal(row.Settings, b)
}
