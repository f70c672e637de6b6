package upload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/wholefile"
)

// Names in the directory of an upload, which is named by its id.
const (
	dataFile = "data"
	metaFile = "upload.json"
)

func (s *Store) path(id uid.ID, name string) string {
	return filepath.Join(s.dir, id.String(), name)
}

// save writes what is known of an upload, durably.
func (s *Store) save(u *Upload) error {
	b, err := json.Marshal(u)
	if err != nil {
		return err
	}
	return full(wholefile.Replace(s.path(u.ID, metaFile), 0o600, wholefile.Bytes(b)))
}

// full marks errors that mean "no space".
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// load reads what an earlier process has left. What cannot be read is removed: nobody
// was told that it is archived.
func (s *Store) load(log *slog.Logger) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		id, err := uid.Parse(e.Name())
		if err != nil || !e.IsDir() {
			continue
		}
		u, err := s.read(id)
		if err != nil {
			log.Warn("an upload cannot be read and is removed; whoever gave it has to give it again", "upload", id, "error", err)
			if err := os.RemoveAll(filepath.Join(s.dir, e.Name())); err != nil {
				return err
			}
			continue
		}
		if u.reserved() == 0 {
			os.Remove(s.path(id, dataFile)) //nolint:errcheck // mostly gone already; the report goes on
		}
		s.all[id] = &entry{upload: *u}
		s.used[u.Owner.Tenant] += u.reserved()
	}
	return nil
}

func (s *Store) read(id uid.ID) (*Upload, error) {
	b, err := os.ReadFile(s.path(id, metaFile))
	if err != nil {
		return nil, err
	}
	var u Upload
	if err := json.Unmarshal(b, &u); err != nil {
		return nil, err
	}
	if u.ID != id {
		return nil, fmt.Errorf("it is that of %s", u.ID)
	}
	u.Received = u.Size
	if u.State != Open {
		return &u, nil
	}
	st, err := os.Stat(s.path(id, dataFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		u.Received = 0
	case err != nil:
		return nil, err
	default:
		u.Received = min(st.Size(), u.Size)
	}
	return &u, nil
}

// reserved is what an upload takes of the tenant's room.
func (u *Upload) reserved() int64 {
	if u.State == Done || u.State == Failed {
		return 0
	}
	return u.Size
}
