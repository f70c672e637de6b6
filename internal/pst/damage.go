package pst

import (
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/muniment/muniment/internal/mapi"
)

// Errors that callers tell apart.
var (
	ErrNotPST      = errors.New("not a PST or OST file")
	ErrUnsupported = errors.New("this kind of PST file cannot be read")
	// ErrDamaged is in every error about bytes that are not as they must be. It is
	// mapi's, so that an attachment ends where its data end.
	ErrDamaged = mapi.ErrDamaged
)

// note tells whoever asked last that something is wrong that does not hinder
// reading. A nil error is nothing.
func (f *File) note(err error) {
	if err != nil && f.sink != nil {
		f.sink(err)
	}
}

// noting sends what is noted to sink until the function that it returns is called.
func (f *File) noting(sink func(error)) (restore func()) {
	before := f.sink
	f.sink = sink
	return func() { f.sink = before }
}

// damagef makes an error that is ErrDamaged.
func damagef(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrDamaged)...)
}

// checksum is the CRC of [MS-PST] §5.3: the common polynomial, but beginning with
// zero and without the inversion at the end.
func checksum(b []byte) uint32 {
	return ^crc32.Update(^uint32(0), crc32.IEEETable, b)
}

// signature is the signature of [MS-PST] §5.5, made of place and identifier.
func signature(off int64, id uint64) uint16 {
	v := uint32(off) ^ uint32(id)
	return uint16(v>>16) ^ uint16(v)
}
