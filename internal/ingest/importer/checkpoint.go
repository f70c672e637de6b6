package importer

import (
	"fmt"
	"path/filepath"

	"github.com/muniment/muniment/internal/ingest/checkpoint"
)

// checkpointFormat changes when keys are made of other things.
const checkpointFormat = "muniment-import-2"

// openCheckpoint reads what an interrupted run left, and goes on writing it.
func openCheckpoint(cfg Config) (*checkpoint.File, error) {
	if cfg.State == "" || cfg.DryRun {
		return &checkpoint.File{}, nil
	}
	name := filepath.Join(cfg.State, "import-"+cfg.Source.String()+".jsonl")
	return checkpoint.Open(name, checkpoint.HeadOf(checkpointFormat, cfg.Tenant, cfg.Source), false)
}

// key stands for an item at a path in a state: a file that has another size, time of
// change or inode than then is offered again.
func (f found) key() checkpoint.Key {
	b := fmt.Appendf(nil, "%s\x00%s\x00%d\x00%d\x00%d", f.path, f.origin, f.fileSize, f.mtime, f.inode)
	if f.place != "" { // names in archives need not be unique
		b = fmt.Appendf(b, "\x00%s", f.place)
	}
	return checkpoint.KeyOf(b)
}
