package main

import (
	"context"
	"path/filepath"
	"sync"

	"github.com/muniment/muniment/internal/ingest/folder"
	"github.com/muniment/muniment/internal/ingest/uploaded"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/upload"
)

// fileDoors are the doors for files: watched folders and uploads.
type fileDoors struct {
	folders *folder.Watcher
	uploads *upload.Store
	runner  *uploaded.Runner
}

func (a *app) newFileDoors() (*fileDoors, error) {
	c := a.config
	dir, err := spool.Open(filepath.Join(c.Data, spoolDir, "files"))
	if err != nil {
		return nil, err
	}
	d := &fileDoors{}
	d.folders, err = folder.New(folder.Config{Archive: a.archive, Spool: dir, Root: c.Folder.Root, Work: filepath.Join(c.Data, spoolDir, "folder"), Log: a.log})
	if err != nil {
		return nil, err
	}
	d.uploads, err = upload.NewStore(upload.Config{Dir: filepath.Join(c.Data, uploadDir), MaxSize: c.Upload.MaxSize, PerTenant: c.Upload.PerTenant, Log: a.log})
	if err != nil {
		return nil, err
	}
	a.archive.AlsoDelete(func(_ context.Context, tenant uid.ID) error { return d.uploads.RemoveTenant(tenant) })
	d.runner = &uploaded.Runner{Archive: a.archive, Store: d.uploads, Spool: dir, Log: a.log}
	return d, nil
}

// run archives until ctx ends, and closes the channel when nothing of it is at work
// any more.
func (d *fileDoors) run(ctx context.Context, fail context.CancelCauseFunc) <-chan struct{} {
	ended := make(chan struct{})
	var doors sync.WaitGroup
	for _, run := range []func(context.Context) error{d.folders.Run, d.runner.Run} {
		doors.Go(func() {
			if err := run(ctx); err != nil {
				fail(err)
			}
		})
	}
	go func() { doors.Wait(); close(ended) }()
	return ended
}
