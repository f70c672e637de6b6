package pst

// cache keeps what was used last: one generation fills while the one before is
// still asked, so that at most twice the limit is kept.
type cache[K comparable, V any] struct {
	limit    int // of the sum of all sizes in a generation
	size     int
	now, old map[K]V
}

func (c *cache[K, V]) get(k K) (V, bool) {
	if v, ok := c.now[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	return v, ok
}

func (c *cache[K, V]) put(k K, v V, size int) {
	if c.now == nil || c.size+size > c.limit {
		c.old, c.now, c.size = c.now, map[K]V{}, 0
	}
	c.now[k] = v
	c.size += size
}

// Identifiers of nodes have 27 bits besides their type.
const (
	idBits    = 27
	chunkBits = 13
)

// idSet is a set of nodes of one type: at most 16 MiB whatever is in it.
type idSet struct {
	chunks map[uint32]*[1 << chunkBits / 64]uint64
}

// has tells whether the node is in the set.
func (s *idSet) has(nid uint32) bool {
	i := nid >> (32 - idBits)
	c := s.chunks[i>>chunkBits]
	i &= 1<<chunkBits - 1
	return c != nil && c[i/64]&(1<<(i%64)) != 0
}

// add puts the node in and tells whether it is new.
func (s *idSet) add(nid uint32) bool {
	i := nid >> (32 - idBits)
	if s.chunks == nil {
		s.chunks = map[uint32]*[1 << chunkBits / 64]uint64{}
	}
	c := s.chunks[i>>chunkBits]
	if c == nil {
		c = new([1 << chunkBits / 64]uint64)
		s.chunks[i>>chunkBits] = c
	}
	i &= 1<<chunkBits - 1
	bit := uint64(1) << (i % 64)
	if c[i/64]&bit != 0 {
		return false
	}
	c[i/64] |= bit
	return true
}
