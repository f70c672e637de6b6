package tsp

import (
	"crypto/sha256"
	"sync"
	"time"
)

// Cache remembers parsed tokens and their results, because all records of a
// batch share one token. It belongs to one set of options, of which only the
// secured date may differ. Safe for concurrent use.
type Cache struct {
	max     int
	mu      sync.Mutex
	tokens  map[[32]byte]*Token
	results map[resultKey]Result
}

type resultKey struct {
	token [32]byte
	at    time.Time
}

// NewCache returns a cache for at most max tokens; what is beyond is verified
// anew each time.
func NewCache(max int) *Cache {
	return &Cache{max: max, tokens: map[[32]byte]*Token{}, results: map[resultKey]Result{}}
}

// Parse is ParseToken with a memory. The token does not keep b.
func (c *Cache) Parse(b []byte) (*Token, error) {
	if c == nil {
		return ParseToken(b)
	}
	key := sha256.Sum256(b)
	c.mu.Lock()
	t := c.tokens[key]
	c.mu.Unlock()
	if t != nil {
		return t, nil
	}
	t, err := ParseToken(append([]byte(nil), b...))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.tokens) < c.max {
		c.tokens[key] = t
	}
	return t, nil
}

// Verify is the function Verify with a memory. The Findings are shared: they
// must not be changed.
func (c *Cache) Verify(t *Token, o Options) Result {
	if c == nil {
		return Verify(t, o)
	}
	key := resultKey{sha256.Sum256(t.Raw), o.At}
	c.mu.Lock()
	r, ok := c.results[key]
	c.mu.Unlock()
	if ok {
		return r
	}
	r = Verify(t, o)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.results) < c.max {
		c.results[key] = r
	}
	return r
}
