// Package blob is the port to the place where bytes rest: a flat space of
// named objects. Drivers are blob/file (a local directory) and, later, an S3
// bucket. The vault is its only user; it must not know which driver it has.
package blob

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrNotFound is returned (wrapped) when no object has the key.
var ErrNotFound = errors.New("object not found")

// ErrExists is returned (wrapped) by Put when the key is taken: objects are
// written once.
var ErrExists = errors.New("object exists already")

// Info describes one object.
type Info struct {
	Key      string
	Size     int64
	Modified time.Time
}

// Object is an open object. ReadAt may be called concurrently.
type Object interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Store holds objects under keys. A key is a slash-separated path of
// [a-z0-9._-] elements, none of which starts with a dot; at most 200 bytes.
//
// All methods are safe for concurrent use, by several processes as well.
type Store interface {
	// Put creates the object from exactly size bytes of r. When it returns nil
	// the object is durable and visible whole; after an error or a crash it is
	// either absent or whole. It never overwrites: ErrExists.
	Put(ctx context.Context, key string, r io.Reader, size int64) error
	// Replace is Put without ErrExists: readers see the old or the new object,
	// never a mixture. Only small objects (keys, heads) are ever replaced.
	Replace(ctx context.Context, key string, r io.Reader, size int64) error
	// Open opens an object for reading.
	Open(ctx context.Context, key string) (Object, error)
	// List calls fn for every object whose key starts with prefix, ascending by
	// key. Objects being written are not listed. It stops at fn's first error
	// and returns it.
	List(ctx context.Context, prefix string, fn func(Info) error) error
	// Delete removes an object durably; deleting what is absent is no error.
	Delete(ctx context.Context, key string) error
}
