package interop

import (
	"bytes"
	endian "encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/testkit/need"
)

// bouncyCastle are the archives of Debian's libbcpkix-java and what it needs.
const bouncyCastle = "/usr/share/java/bcpkix.jar:/usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar"

// harness compiles bc/Harness.java and returns a function that gives it a list.
func harness(t *testing.T) func(list string) string {
	t.Helper()
	java, javac := need.Program(t, "java"), need.Program(t, "javac")
	for jar := range strings.SplitSeq(bouncyCastle, ":") {
		if _, err := os.Stat(jar); err != nil {
			need.Lacks(t, "bouncycastle", jar+" is missing; scripts/setup test installs libbcpkix-java")
		}
	}
	classes := t.TempDir()
	if out, err := exec.Command(javac, "-cp", bouncyCastle, "-d", classes, filepath.Join("bc", "Harness.java")).CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	return func(list string) string {
		name := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(name, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), java, "-cp", bouncyCastle+":"+classes, "Harness", name).CombinedOutput()
		if err != nil {
			t.Fatalf("java: %v\n%s", err, out)
		}
		return string(out)
	}
}

// cases collects records for the harness.
type cases struct {
	t    *testing.T
	dir  string
	n    int
	list strings.Builder
}

func (c *cases) write(b []byte) string {
	c.t.Helper()
	c.n++
	name := filepath.Join(c.dir, fmt.Sprint(c.n))
	if err := os.WriteFile(name, b, 0o600); err != nil {
		c.t.Fatal(err)
	}
	return name
}

func (c *cases) add(want string, record []byte, object evidencetest.Object) {
	c.t.Helper()
	fields := []string{want, c.write(record)}
	for _, m := range object {
		fields = append(fields, c.write(m))
	}
	fmt.Fprintln(&c.list, strings.Join(fields, "\t"))
}

func (c *cases) run(check func(string) string) {
	c.t.Helper()
	out := check(c.list.String())
	want := strings.Count(c.list.String(), "\n")
	if got := strings.Count(out, "ok "); got != want || strings.Contains(out, "FAIL") {
		for line := range strings.Lines(out) {
			if !strings.HasPrefix(line, "ok ") {
				c.t.Error(strings.TrimSpace(line))
			}
		}
		c.t.Errorf("BouncyCastle agrees on %d of %d records", got, want)
	}
	c.t.Logf("BouncyCastle agrees on %d records", want)
}

// TestBouncyCastle has our records read by BouncyCastle: batches of several
// sizes and groups of two to four members, new, renewed by stamp (twice) and by
// tree; and wrong ones.
func TestBouncyCastle(t *testing.T) {
	t.Parallel()
	check := harness(t)
	for _, scheme := range []algo.Scheme{algo.ECDSA, algo.PSS} {
		t.Run(string(scheme), func(t *testing.T) {
			t.Parallel()
			c := &cases{t: t, dir: t.TempDir()}
			w := evidencetest.New(t, tsa.Options{Scheme: scheme})
			sizes := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 1000}
			if scheme == algo.PSS {
				sizes = []int{3}
			}
			for _, size := range sizes {
				var objects []evidencetest.Object
				for i := range size {
					objects = append(objects, evidencetest.NewObject(i, 2+i%3))
				}
				records := w.Seal(algo.SHA256, objects)
				if size > 1 {
					records[0] = w.Seal(algo.SHA256, objects[:1])[0]
				}
				addAll(c, objects, records)
				for round := range 5 {
					w.Pass(time.Hour)
					if round < 3 {
						records = w.RenewStamps(records)
					} else {
						records = w.RenewTrees([]algo.Hash{algo.SHA512, algo.SHA3_256}[round-3], objects, records)
					}
					addAll(c, objects, records)
				}
			}
			c.run(check)
		})
	}
}

// addAll adds records that must pass, and some that must not. Of large batches
// a sample is taken.
func addAll(c *cases, objects []evidencetest.Object, records []*ers.Record) {
	c.t.Helper()
	for i, r := range records {
		if i > 3 && i < len(records)-3 && i%100 != 0 {
			continue
		}
		b := evidencetest.Marshal(c.t, r)
		c.add("valid", b, objects[i])
		if i > 0 {
			continue
		}
		other := append(evidencetest.Object{}, objects[i]...)
		other[0] = []byte("something else")
		c.add("invalid", b, other)
		for j, last := range r.Chains[len(r.Chains)-1][0].Tree { // a wrong value in the tree
			if bad := bytes.Replace(b, last[0], make([]byte, len(last[0])), 1); j < 3 && !bytes.Equal(bad, b) {
				c.add("invalid", bad, objects[i])
			}
		}
	}
}

// TestBouncyCastleDecades has the records read that are left after thirty years
// of renewals.
func TestBouncyCastleDecades(t *testing.T) {
	t.Parallel()
	check := harness(t)
	d := evidencetest.Live(t, uint64(time.Now().UnixNano()))
	c := &cases{t: t, dir: t.TempDir()}
	for i, r := range d.Records {
		c.add("valid", evidencetest.Marshal(t, r), d.Objects[i])
	}
	c.run(check)
}

// TestBouncyCastleMillion has records read that come from trees of a million
// leaves: new, renewed by stamp, renewed by tree.
func TestBouncyCastleMillion(t *testing.T) {
	t.Parallel()
	check := harness(t)
	const million = 1_000_000
	w := evidencetest.New(t, tsa.Options{})
	var objects []evidencetest.Object
	for i := range 9 {
		objects = append(objects, evidencetest.NewObject(i, 2+i%3))
	}
	// The objects lie at both ends and in between.
	place := func(i int) int { return i * (million - 1) / (len(objects) - 1) }
	c := &cases{t: t, dir: t.TempDir()}
	records := make([]*ers.Record, len(objects))
	stamp := func(h algo.Hash, leaf func(i int) ([]byte, error), issue func(i int, siblings [][]byte, token []byte) (*ers.Record, error)) {
		t.Helper()
		all := make([]byte, million*h.Size())
		for i := range million { // strangers
			endian.BigEndian.PutUint64(all[i*h.Size():], uint64(i))
		}
		for i := range objects {
			value, err := leaf(i)
			if err != nil {
				t.Fatal(err)
			}
			copy(all[place(i)*h.Size():], value)
		}
		tree, err := ers.NewTree(h, all)
		if err != nil {
			t.Fatal(err)
		}
		token := w.Stamp(h, evidencetest.RootOf(t, tree))
		for i := range objects {
			if records[i], err = issue(i, evidencetest.Path(t, tree, place(i)), token); err != nil {
				t.Fatal(err)
			}
		}
		addAll(c, objects, records)
		w.Pass(time.Hour)
	}
	first, second := algo.SHA256, algo.SHA512
	stamp(first, func(i int) ([]byte, error) { return ers.Leaf(first, objects[i].Sums(first)) },
		func(i int, siblings [][]byte, token []byte) (*ers.Record, error) {
			return ers.Initial(first, objects[i].Sums(first), siblings, token)
		})
	records = w.RenewStamps(records)
	addAll(c, objects, records)
	w.Pass(time.Hour)
	stamp(second, func(i int) ([]byte, error) {
		leaf, _, err := records[i].RenewedLeaf(second, objects[i].Sums(second))
		return leaf, err
	}, func(i int, siblings [][]byte, token []byte) (*ers.Record, error) {
		return records[i].RenewTree(second, objects[i].Sums(second), siblings, token)
	})
	evidencetest.Verified(t, w.Options(), objects, records)
	c.run(check)
}
