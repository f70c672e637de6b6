// Package arch is the map of the repository as a test: which package may import
// which. It holds no code that runs.
package arch
