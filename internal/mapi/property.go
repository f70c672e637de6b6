package mapi

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Tag is a property tag [MS-OXCDATA] §2.9: the identifier in the upper, the
// type in the lower 16 bits.
type Tag uint32

// NewTag puts a tag together.
func NewTag(id uint16, t Type) Tag { return Tag(id)<<16 | Tag(t) }

// ID returns the identifier. From 0x8000 on its meaning is that of the name.
func (t Tag) ID() uint16 { return uint16(t >> 16) }

// Type returns the type.
func (t Tag) Type() Type { return Type(t) }

// Type is the type of a property [MS-OXCDATA] §2.11.1.
type Type uint16

// Types. Multi is a flag: several values of the type.
const (
	TypeNull     Type = 0x0001
	TypeInt16    Type = 0x0002
	TypeInt32    Type = 0x0003
	TypeFloat32  Type = 0x0004
	TypeFloat64  Type = 0x0005
	TypeCurrency Type = 0x0006
	TypeAppTime  Type = 0x0007
	TypeError    Type = 0x000A
	TypeBool     Type = 0x000B
	TypeObject   Type = 0x000D
	TypeInt64    Type = 0x0014
	TypeString8  Type = 0x001E
	TypeUnicode  Type = 0x001F
	TypeTime     Type = 0x0040
	TypeGUID     Type = 0x0048
	TypeServerID Type = 0x00FB
	TypeBinary   Type = 0x0102
	Multi        Type = 0x1000
)

// GUID is a globally unique identifier as it is stored [MS-DTYP] §2.3.4.2.
type GUID [16]byte

// String writes the identifier as people know it.
func (g GUID) String() string {
	return fmt.Sprintf("%08X-%04X-%04X-%X-%X", binary.LittleEndian.Uint32(g[:]), binary.LittleEndian.Uint16(g[4:]), binary.LittleEndian.Uint16(g[6:]), g[8:10], g[10:])
}

// Name is the name of a property from 0x8000 on [MS-OXCDATA] §2.6.1: within the
// property set a number, or a text if Text is not empty.
type Name struct {
	Set  GUID
	ID   uint32
	Text string
}

// ANSI is a text in a code page (PtypString8). Which one is known only when all
// properties of the message are.
type ANSI []byte

// Property is one property. Value is one of
//
//	int64      TypeInt16, TypeInt32, TypeInt64, TypeCurrency, TypeError
//	float64    TypeFloat32, TypeFloat64, TypeAppTime
//	bool       TypeBool
//	time.Time  TypeTime, in UTC; the zero Time for "none"
//	string     TypeUnicode
//	ANSI       TypeString8
//	GUID       TypeGUID
//	[]byte     TypeBinary, TypeObject, TypeServerID and any type not listed
//
// or, with Multi, a slice of these.
type Property struct {
	Tag   Tag
	Name  *Name // of a named property, if the mapping was found
	Value any
}

// Properties is a bag of properties in the order of the file. If one is there
// twice, the first counts.
type Properties struct {
	List     []Property
	CodePage int // of ANSI texts, if no property of the bag tells; 0: not known
}

// Add adds a property to the end.
func (p *Properties) Add(tag Tag, name *Name, value any) {
	p.List = append(p.List, Property{Tag: tag, Name: name, Value: value})
}

// Get returns the value of the property with that identifier, nil if there is
// none. Of texts the Unicode one is preferred. Named properties are not looked
// at: see Named.
func (p *Properties) Get(id uint16) any {
	return p.find(func(q *Property) bool { return q.Tag.ID() == id && q.Name == nil })
}

// Named returns the value of the named property with a number, nil if there is
// none.
func (p *Properties) Named(set GUID, id uint32) any {
	return p.find(func(q *Property) bool { return q.Name != nil && *q.Name == Name{Set: set, ID: id} })
}

// NamedText returns the value of the named property with a text as its name, nil
// if there is none.
func (p *Properties) NamedText(set GUID, name string) any {
	return p.find(func(q *Property) bool { return q.Name != nil && *q.Name == Name{Set: set, Text: name} })
}

func (p *Properties) find(is func(*Property) bool) any {
	var found any
	for i := range p.List {
		q := &p.List[i]
		if q.Value == nil || q.Tag.Type() == TypeError || !is(q) {
			continue
		}
		if _, ansi := q.Value.(ANSI); !ansi {
			return q.Value
		}
		if found == nil {
			found = q.Value
		}
	}
	return found
}

// Text returns a text, decoded; "" if there is none.
func (p *Properties) Text(id uint16) string { return p.asText(p.Get(id)) }

// Int returns a number, or 0.
func (p *Properties) Int(id uint16) int64 { n, _ := p.Get(id).(int64); return n }

// Bool returns a truth value, or false.
func (p *Properties) Bool(id uint16) bool { b, _ := p.Get(id).(bool); return b }

// Time returns a point in time, or the zero Time.
func (p *Properties) Time(id uint16) time.Time { t, _ := p.Get(id).(time.Time); return t }

// Bytes returns binary data, or nil.
func (p *Properties) Bytes(id uint16) []byte { b, _ := p.Get(id).([]byte); return b }

func (p *Properties) asText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case ANSI:
		return DecodeANSI(v, p.codePage())
	}
	return ""
}

// codePage returns the code page of ANSI texts [MS-OXCMSG] §2.2.1.
func (p *Properties) codePage() int {
	for _, id := range []uint16{IDMessageCodepage, IDInternetCodepage} {
		if cp := int(p.Int(id)); cp > 0 && cp != utf16LE && cp != utf16BE {
			return cp
		}
	}
	return p.CodePage
}
