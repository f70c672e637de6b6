package main

import (
	"fmt"
	"syscall"

	"github.com/muniment/muniment/internal/alarm"
)

// disk tells the room where the data directory is, as a user without special rights may
// fill it.
func (a *app) disk() (alarm.Disk, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(a.config.Data, &s); err != nil {
		return alarm.Disk{}, fmt.Errorf("%s: %w", a.config.Data, err)
	}
	block := s.Bsize
	return alarm.Disk{Free: int64(s.Bavail) * block, Total: int64(s.Blocks) * block}, nil
}
