package main

import (
	"fmt"
	"runtime/debug"
	"strings"
)

type versionCmd struct{}

func (versionCmd) Run(s *streams) error {
	fmt.Fprintln(s.out, "muniment", version())
	return nil
}

// version reads the stamp that the Go tool puts into the binary: the module
// version of a release, else the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	var revision, when, modified string
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.time":
			when = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				modified = ", changed"
			}
		}
	}
	v := strings.Trim(info.Main.Version, "()")
	if len(revision) >= 12 {
		v += " (commit " + revision[:12] + " of " + when + modified + ")"
	}
	return v + " " + info.GoVersion
}
