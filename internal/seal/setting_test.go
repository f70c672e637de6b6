package seal_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/muniment/muniment/internal/seal"
)

// TestBrainpoolAnchor: the root of an authority may have a key on a brainpool curve, as
// those of German authorities have.
func TestBrainpoolAnchor(t *testing.T) {
	t.Parallel()
	for _, curve := range []string{"P256r1", "P384r1", "P512r1"} {
		text, err := os.ReadFile(filepath.Join("..", "evidence", "brainpool", "testdata", curve+".pem"))
		if err != nil {
			t.Fatal(err)
		}
		if list, err := seal.Certificates(string(text)); err != nil || len(list) != 1 {
			t.Errorf("%s: %v", curve, err)
		}
	}
}
