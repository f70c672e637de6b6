// Package indextest is the conformance suite of package index.
package indextest
