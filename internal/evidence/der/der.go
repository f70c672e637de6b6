// Package der is the gate for foreign ASN.1: it lets pass what is encoded by
// the Distinguished Encoding Rules (ITU-T X.690 §10), of which every value has
// exactly one form, and refuses everything else, above all the indefinite
// lengths and the constructed strings of BER. It decodes nothing; decoding is
// done with cryptobyte, on bytes that have passed.
package der

import (
	"errors"
	"fmt"
)

// ErrBER is in the errors of Check for encodings that BER allows and DER does not.
var ErrBER = errors.New("encoded by BER, not by DER")

// MaxDepth is how deep elements may be nested. Certificates and evidence
// records need about 20.
const MaxDepth = 64

// The universal tags that have rules of their own.
const (
	tagBoolean     = 1
	tagInteger     = 2
	tagBitString   = 3
	tagNull        = 5
	tagOID         = 6
	tagEnumerated  = 10
	tagSequence    = 16
	tagSet         = 17
	classUniversal = 0
)

// Check reports an error unless b is exactly one DER element. The order of the
// elements of a SET OF is not checked, as widely used authorities do not keep
// it. Time and memory are linear in len(b).
func Check(b []byte) error {
	rest, err := element(b, 0, 0)
	if err != nil {
		return err
	}
	if len(rest) != 0 {
		return fmt.Errorf("%d bytes after the end of the element", len(rest))
	}
	return nil
}

// header is the identifier and the length of an element.
type header struct {
	class, tag  int
	constructed bool
	size, body  int // bytes of the header, bytes of the contents
}

// element checks the first element of b, which lies at offset at, and returns
// what follows it.
func element(b []byte, at, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("byte %d: nested deeper than %d", at, MaxDepth)
	}
	h, err := readHeader(b)
	if err != nil {
		return nil, fmt.Errorf("byte %d: %w", at, err)
	}
	if h.body > len(b)-h.size {
		return nil, fmt.Errorf("byte %d: element of %d bytes is cut off", at, h.body)
	}
	body, rest := b[h.size:h.size+h.body], b[h.size+h.body:]
	if h.constructed {
		if h.class == classUniversal && h.tag != tagSequence && h.tag != tagSet {
			return nil, fmt.Errorf("byte %d: %w: constructed string (tag %d)", at, ErrBER, h.tag)
		}
		for pos := at + h.size; len(body) > 0; {
			next, err := element(body, pos, depth+1)
			if err != nil {
				return nil, err
			}
			pos += len(body) - len(next)
			body = next
		}
		return rest, nil
	}
	if h.class == classUniversal {
		if err := primitive(h.tag, body); err != nil {
			return nil, fmt.Errorf("byte %d: %w", at, err)
		}
	}
	return rest, nil
}

func readHeader(b []byte) (header, error) {
	if len(b) < 2 {
		return header{}, errors.New("element is cut off")
	}
	h := header{class: int(b[0] >> 6), constructed: b[0]&0x20 != 0, tag: int(b[0] & 0x1f), size: 1}
	if h.tag == 0x1f {
		if err := h.readLongTag(b); err != nil {
			return header{}, err
		}
	}
	if h.class == classUniversal && h.tag == 0 {
		return header{}, fmt.Errorf("%w: end-of-contents", ErrBER)
	}
	if len(b) <= h.size {
		return header{}, errors.New("element is cut off")
	}
	length := b[h.size:]
	n := int(length[0])
	h.size++
	switch {
	case n < 0x80:
		h.body = n
		return h, nil
	case n == 0x80:
		return header{}, fmt.Errorf("%w: indefinite length", ErrBER)
	case n > 0x84:
		return header{}, errors.New("length of more than four bytes")
	}
	k := n & 0x7f
	if len(length) < 1+k {
		return header{}, errors.New("element is cut off")
	}
	v := int64(0)
	for _, c := range length[1 : 1+k] {
		v = v<<8 | int64(c)
	}
	if length[1] == 0 || v < 0x80 {
		return header{}, fmt.Errorf("%w: length is not the shortest", ErrBER)
	}
	if v > int64(len(b)) {
		return header{}, fmt.Errorf("element of %d bytes is cut off", v)
	}
	h.size, h.body = h.size+k, int(v)
	return h, nil
}

// maxTagBytes is how many bytes a tag above 30 may take.
const maxTagBytes = 4

// readLongTag reads a tag above 30 (X.690 §8.1.2.4). No structure read here has one; what
// others put into their attributes may.
func (h *header) readLongTag(b []byte) error {
	for h.tag = 0; ; h.size++ {
		switch {
		case h.size > maxTagBytes:
			return fmt.Errorf("tag of more than %d bytes", maxTagBytes)
		case h.size == len(b):
			return errors.New("element is cut off")
		}
		c := b[h.size]
		h.tag = h.tag<<7 | int(c&0x7f)
		if h.tag == 0 {
			return errors.New("tag is not the shortest")
		}
		if c < 0x80 {
			break
		}
	}
	if h.size++; h.tag < 0x1f {
		return errors.New("tag is not the shortest")
	}
	return nil
}

// primitive checks the contents of a primitive element of a universal type.
func primitive(tag int, body []byte) error {
	switch tag {
	case tagBoolean:
		if len(body) != 1 || body[0] != 0 && body[0] != 0xff {
			return fmt.Errorf("%w: boolean is neither 00 nor FF", ErrBER)
		}
	case tagInteger, tagEnumerated:
		if len(body) == 0 {
			return errors.New("empty integer")
		}
		if len(body) > 1 && (body[0] == 0 && body[1] < 0x80 || body[0] == 0xff && body[1] >= 0x80) {
			return fmt.Errorf("%w: integer is not the shortest", ErrBER)
		}
	case tagBitString:
		if len(body) == 0 || body[0] > 7 || len(body) == 1 && body[0] != 0 {
			return errors.New("malformed bit string")
		}
		if body[len(body)-1]&(1<<body[0]-1) != 0 && len(body) > 1 {
			return fmt.Errorf("%w: unused bits are not zero", ErrBER)
		}
	case tagNull:
		if len(body) != 0 {
			return errors.New("null with contents")
		}
	case tagOID:
		if len(body) == 0 || body[len(body)-1]&0x80 != 0 {
			return errors.New("malformed object identifier")
		}
	case tagSequence, tagSet:
		return errors.New("primitive sequence or set")
	}
	return nil
}
