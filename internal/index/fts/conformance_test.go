package fts_test

import (
	"testing"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/indextest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(t *testing.T) index.Index { return open(t) })
}
