// Package seal holds the form in which what proves the objects rests in the vault,
// and the settings of sealing. docs/format-evidence.md, "Seals", specifies the form, so that
// a stranger can read it without this program.
//
// It knows neither database nor network: who stores, and when, is decided in
// package archive; who asks an authority, in package sealing.
//
//	tree.go     the hash tree of a tenant in a batch
//	batch.go    what a batch holds, and the tree over its trees
//	stamp.go    a time stamp with what its verification needs
//	guard.go    the check sum of the objects that are JSON
//	setting.go  authorities, the interval
//	preset.go   authorities that one may choose from
package seal
