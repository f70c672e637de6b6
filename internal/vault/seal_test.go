package vault_test

import (
	"testing"
	"time"

	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

func TestSealNames(t *testing.T) {
	t.Parallel()
	id := uid.New(time.Unix(1, 0))
	for n, want := range map[vault.SealName]string{
		{Batch: id}:            "seals/" + id.String() + ".batch",
		{Batch: id, Stamp: 12}: "seals/" + id.String() + ".12.stamp",
	} {
		if n.String() != want {
			t.Errorf("name of %+v: %s, want %s", n, n, want)
		}
	}
}
