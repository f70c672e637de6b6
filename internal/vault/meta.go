package vault

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/muniment/muniment/internal/uid"
)

// Meta returns Object.Meta of a message or Record.Data of a record.
func (v *Vault) Meta(ctx context.Context, tenant uid.ID, ref Ref) ([]byte, error) {
	s, src, closer, err := v.locate(ctx, tenant, ref, KindMessage, KindRecord)
	if err != nil {
		return nil, err
	}
	m, _, _, err := v.readMeta(src)
	return m, errors.Join(s.corrupt(ref.Frame, err), closer.Close())
}

// readMeta reads what is known of a frame without its original: its meta data,
// the parts it refers to, its hash.
func (v *Vault) readMeta(src source) (meta []byte, parts []Sum, sum Sum, err error) {
	if src.id.kind == KindRecord {
		meta, err = v.readBare(src)
		return meta, nil, Sum{}, err
	}
	fr, err := newFrameReader(src.key, src.id, src.sealed, src.stored)
	if err != nil {
		return nil, nil, Sum{}, err
	}
	p, err := readPrefix(fr)
	if err != nil || src.id.kind == KindPart {
		return nil, nil, p.sum, err
	}
	h, err := v.readOnlyHead(src, p, fr)
	for _, o := range h.ops {
		if o.from == fromPart {
			parts = append(parts, o.sum)
		}
	}
	return h.meta, parts, p.sum, err
}

func (v *Vault) readOnlyHead(src source, p plainParts, fr io.Reader) (head, error) {
	stream := fr
	switch {
	case src.size <= smallSize:
		b, err := io.ReadAll(io.LimitReader(fr, 2*maxInMemory))
		if err == nil {
			b, err = v.expand(src, p.codec, b)
		}
		if err != nil {
			return head{}, err
		}
		stream = bytes.NewReader(b)
	case p.codec == codecZstd:
		z, err := newStreamDecoder(fr)
		if err != nil {
			return head{}, err
		}
		defer z.Close()
		stream = z
	case p.codec != codecPlain:
		return head{}, errCodec
	}
	return readHead(bufio.NewReader(stream), src.size)
}

// readBare reads a record or a dictionary: codec, stream.
func (v *Vault) readBare(src source) ([]byte, error) {
	b, err := readSealed(src)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return nil, errPlain
	}
	plain, err := v.expand(src, b[0], b[1:])
	if err != nil {
		return nil, err
	}
	if int64(len(plain)) != src.size {
		return nil, errPlain
	}
	return plain, nil
}

// Refers returns the parts that a message refers to, each once.
func (v *Vault) Refers(ctx context.Context, tenant uid.ID, ref Ref) ([]Sum, error) {
	s, src, closer, err := v.locate(ctx, tenant, ref, KindMessage)
	if err != nil {
		return nil, err
	}
	_, parts, _, err := v.readMeta(src)
	slices.SortFunc(parts, func(a, b Sum) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(parts), errors.Join(s.corrupt(ref.Frame, err), closer.Close())
}
