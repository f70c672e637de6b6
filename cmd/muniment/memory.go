package main

import (
	"math"
	"os"
	"runtime/debug"
)

const (
	// softMemory is what the garbage collector is asked to stay below. It leaves
	// room under the 512 MiB that the program may have resident, whatever comes in,
	// for what it does not count.
	softMemory = 288 << 20
	// garbage is how much may gather before it is collected, in percent of what is
	// in use: twice Go's own, as there is room.
	garbage = 200
)

// boundMemory sets the bounds unless the environment (GOMEMLIMIT, GOGC) has.
func boundMemory() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(softMemory)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}
