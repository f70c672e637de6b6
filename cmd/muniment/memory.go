package main

import (
	"math"
	"runtime/debug"
)

// softMemory is what the garbage collector is asked to stay below. It leaves
// room under the 512 MiB that the program may have resident, whatever comes in,
// for what it does not count.
const softMemory = 320 << 20

// boundMemory sets the bound unless the environment (GOMEMLIMIT) has.
func boundMemory() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(softMemory)
	}
}
