package pst

// subNodes calls fn for the sub-nodes below a block, in the order of the file
// ([MS-PST] §2.2.2.8.3.3), until it returns false. Only those from nid on need
// come, so that one is found without reading all.
func (f *File) subNodes(id uint64, from uint32, fn func(node) bool) error {
	s := subWalker{f: f, from: from, fn: fn}
	_, err := s.walk(id, maxSubLevels)
	return err
}

// subNode finds a sub-node; ok is false if there is none. Sub-nodes ascend, but a
// writer that does not know is forgiven.
func (f *File) subNode(id uint64, nid uint32) (n node, ok bool, err error) {
	for _, from := range []uint32{nid, 0} {
		err = f.subNodes(id, from, func(m node) bool {
			if m.nid == nid {
				n, ok = m, true
			}
			return !ok
		})
		if ok || err != nil {
			break
		}
	}
	return n, ok, err
}

type subWalker struct {
	f    *File
	from uint32
	fn   func(node) bool
}

// walk goes over the tree below a block, of less than level levels.
func (s *subWalker) walk(id uint64, level int) (more bool, err error) {
	if id &^= 1; id == 0 {
		return true, nil
	}
	b, err := s.f.block(id)
	if err != nil {
		return false, err
	}
	head, w := 4, s.f.layout.word()
	if s.f.layout.wide {
		head = 8
	}
	if len(b) < head || b[0] != blockOfSubNodes || int(b[1]) >= level {
		return false, damagef("block 0x%x is no list of sub-nodes", id)
	}
	n, size := int(u16(b[2:])), 3*w
	if b[1] > 0 {
		size = 2 * w
	}
	if head+n*size > len(b) {
		return false, damagef("block 0x%x: it lists %d sub-nodes", id, n)
	}
	if err := s.f.spend(n * size); err != nil {
		return false, err
	}
	return s.entries(b[head:head+n*size], size, int(b[1]))
}

func (s *subWalker) entries(b []byte, size, level int) (more bool, err error) {
	l, w := &s.f.layout, s.f.layout.word()
	for i := 0; i < len(b); i += size {
		e := b[i : i+size]
		nid := u32(e)
		if level > 0 {
			if next := i + size; next < len(b) && u32(b[next:]) <= s.from {
				continue // all below are smaller
			}
			if more, err = s.walk(l.id(e[w:]), level); !more || err != nil {
				return more, err
			}
			continue
		}
		if nid < s.from {
			continue
		}
		if !s.fn(node{nid: nid, data: l.id(e[w:]), sub: l.id(e[2*w:])}) {
			return false, nil
		}
	}
	return true, nil
}
