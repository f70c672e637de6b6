package graph

import (
	"path/filepath"

	"github.com/muniment/muniment/internal/ingest/checkpoint"
)

// checkpointFormat changes when keys are made of other things.
const checkpointFormat = "muniment-graph-1"

// openCheckpoint reads what earlier runs have done. The file stays when a run has seen
// everything: the next one then fetches what is new.
func openCheckpoint(cfg Config) (*checkpoint.File, error) {
	if cfg.State == "" || cfg.DryRun {
		return &checkpoint.File{}, nil
	}
	name := filepath.Join(cfg.State, "graph-"+cfg.Source.String()+".jsonl")
	return checkpoint.Open(name, checkpoint.HeadOf(checkpointFormat, cfg.Tenant, cfg.Source), cfg.Again)
}

// key stands for a message of a mailbox.
func key(user, id string) checkpoint.Key { return checkpoint.KeyOf([]byte(user + "\x00" + id)) }
