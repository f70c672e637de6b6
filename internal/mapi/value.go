package mapi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unicode/utf16"
)

// Size returns how many bytes a value of the type takes [MS-OXCDATA] §2.11.1; 0:
// any number. TypeBool is two bytes in the files, one in some.
func (t Type) Size() int {
	switch t &^ Multi {
	case TypeInt16, TypeBool:
		return 2
	case TypeInt32, TypeFloat32, TypeError:
		return 4
	case TypeFloat64, TypeCurrency, TypeAppTime, TypeInt64, TypeTime:
		return 8
	case TypeGUID:
		return 16
	}
	return 0
}

// Decode reads one value (Multi is not looked at) in little endian order. Texts
// end at their terminator, if they have one. The bytes are copied. Too few bytes
// are ErrDamaged.
func Decode(t Type, b []byte) (any, error) {
	t &^= Multi
	if n := t.Size(); len(b) < n && (t != TypeBool || len(b) == 0) {
		return nil, fmt.Errorf("value of type %04x has %d bytes, want %d: %w", uint16(t), len(b), n, ErrDamaged)
	}
	le := binary.LittleEndian
	switch t {
	case TypeNull:
		return nil, nil
	case TypeInt16:
		return int64(int16(le.Uint16(b))), nil
	case TypeInt32, TypeError:
		return int64(int32(le.Uint32(b))), nil
	case TypeInt64, TypeCurrency:
		return int64(le.Uint64(b)), nil
	case TypeFloat32:
		return float64(math.Float32frombits(le.Uint32(b))), nil
	case TypeFloat64, TypeAppTime:
		return math.Float64frombits(le.Uint64(b)), nil
	case TypeBool:
		return b[0] != 0, nil
	case TypeTime:
		return FileTime(le.Uint64(b)), nil
	case TypeGUID:
		return GUID(b[:16]), nil
	case TypeUnicode:
		return decodeUTF16(b), nil
	case TypeString8:
		if i := bytes.IndexByte(b, 0); i >= 0 {
			b = b[:i]
		}
		return ANSI(bytes.Clone(b)), nil
	}
	return append([]byte{}, b...), nil
}

// DecodeMulti reads the values of a property with several.
func DecodeMulti(t Type, elements [][]byte) (any, error) {
	switch t &^ Multi {
	case TypeInt16, TypeInt32, TypeInt64, TypeCurrency, TypeError:
		return decodeAll[int64](t, elements)
	case TypeFloat32, TypeFloat64, TypeAppTime:
		return decodeAll[float64](t, elements)
	case TypeBool:
		return decodeAll[bool](t, elements)
	case TypeTime:
		return decodeAll[time.Time](t, elements)
	case TypeGUID:
		return decodeAll[GUID](t, elements)
	case TypeUnicode:
		return decodeAll[string](t, elements)
	case TypeString8:
		return decodeAll[ANSI](t, elements)
	}
	return decodeAll[[]byte](t, elements)
}

func decodeAll[T any](t Type, elements [][]byte) ([]T, error) {
	out := make([]T, 0, len(elements))
	for _, e := range elements {
		v, err := Decode(t, e)
		if err != nil {
			return out, err
		}
		if v, ok := v.(T); ok {
			out = append(out, v)
		}
	}
	return out, nil
}

// FileTime converts 100 ns since 1601 [MS-DTYP] §2.3.3; 0 is the zero Time.
func FileTime(t uint64) time.Time {
	const perSecond, toUnix = 10_000_000, 11_644_473_600
	if t == 0 || t > math.MaxInt64 {
		return time.Time{}
	}
	return time.Unix(int64(t/perSecond)-toUnix, int64(t%perSecond)*100).UTC()
}

// decodeUTF16 reads little endian UTF-16 up to a terminator. A half character at
// the end is dropped, what is no character becomes U+FFFD.
func decodeUTF16(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		u := binary.LittleEndian.Uint16(b[i:])
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
