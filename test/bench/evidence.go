package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

const (
	sealed   = 1_000_000 // objects in the batch
	issued   = 10_000    // records taken from it
	mailSize = 10_000    // bytes of a member
)

// batch is a batch of many objects under one token.
type batch struct {
	tree  *ers.StoredTree
	token []byte
	trust *tsp.Anchors
	crl   []byte
	root  *x509.Certificate
}

// evidence measures a batch of a million objects: its tree, records on demand
// from the tree on disk, and their verification.
func (b *bench) evidence(ctx context.Context) error {
	h := algo.SHA256
	leaves := make([]byte, 0, sealed*h.Size())
	for i := range sealed {
		leaf, err := ers.Leaf(h, sums(object(i), h))
		if err != nil {
			return err
		}
		leaves = append(leaves, leaf...)
	}
	fmt.Printf("\n## Evidence\n\nA batch of %d objects with two members of %d and 200 bytes, SHA-256, a token of RSA with 3072 bits\n\n| what | wall | CPU |\n|---|---|---|\n", sealed, mailSize)
	var x batch
	wall, _, err := timed("tree, built and written", 1, func() error { return x.seal(filepath.Join(b.dir, "tree"), h, leaves) })
	if err != nil {
		return err
	}
	b.account("hash tree of 1 M objects, without catalog", "≤ 20 s", fmt.Sprintf("%.1f s", wall.Seconds()), wall <= 20*time.Second)
	records := make([][]byte, issued)
	if wall, _, err = timed("a record on demand", issued, func() error { return x.issue(h, records) }); err != nil {
		return err
	}
	b.account("evidence record on demand", "≤ 50 ms", wall.String(), wall <= 50*time.Millisecond)
	_, _, err = timed("verify a record, one core", issued, func() error { return x.verify(ctx, records) })
	if err != nil {
		return err
	}
	return b.manyObjects(ctx, &x, records)
}

// timed prints and returns the time of one of n acts that f does, on the wall
// and on the processor.
func timed(what string, n time.Duration, f func() error) (wall, cpu time.Duration, err error) {
	before, started := processor(), time.Now()
	err = f()
	wall, cpu = time.Since(started)/n, (processor()-before)/n
	fmt.Printf("| %s | %v | %v |\n", what, wall.Round(time.Microsecond), cpu.Round(time.Microsecond))
	return wall, cpu, err
}

// processor returns the processor time of this process.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// object returns the members of the i-th object.
func object(i int) [][]byte {
	mail := binary.BigEndian.AppendUint64(make([]byte, 0, mailSize), uint64(i))
	if i < issued { // the others are never looked at again
		mail = fmt.Appendf(mail[:0], "From: anna@example.com\r\nSubject: offer %d\r\n\r\n", i)[:mailSize]
	}
	if i < bundled {
		if m, err := metadata(i, mail); err == nil { // otherwise the bundle is not valid
			return [][]byte{mail, m}
		}
	}
	return [][]byte{mail, binary.BigEndian.AppendUint64(make([]byte, 192, 200), uint64(i))}
}

func sums(members [][]byte, h algo.Hash) (all [][]byte) {
	for _, m := range members {
		all = append(all, h.Sum(m))
	}
	return all
}

func (x *batch) seal(file string, h algo.Hash, leaves []byte) error {
	tree, err := ers.NewTree(h, leaves)
	if err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	size, err := tree.WriteTo(f)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if x.tree, err = ers.OpenTree(f, size); err != nil {
		return err
	}
	root, err := ers.Root(x.tree)
	if err != nil {
		return err
	}
	a, err := tsa.New(tsa.Options{Scheme: algo.RSA})
	if err != nil {
		return err
	}
	if x.crl, err = a.CRL(); err != nil {
		return err
	}
	r, err := tsp.NewRequest(h, root, nil, rand.Reader)
	if err != nil {
		return err
	}
	x.root = a.Root()
	x.trust = tsp.NewAnchors([]*x509.Certificate{a.Root()})
	x.token, err = a.Issue(r)
	return err
}

func (x *batch) issue(h algo.Hash, records [][]byte) error {
	for i := range records {
		siblings, err := ers.Path(x.tree, int64(i))
		if err != nil {
			return err
		}
		r, err := ers.Initial(h, sums(object(i), h), siblings, x.token)
		if err != nil {
			return err
		}
		if records[i], err = r.Marshal(); err != nil {
			return err
		}
	}
	return nil
}

func (x *batch) verify(ctx context.Context, records [][]byte) error {
	o := ers.Options{At: time.Now().Add(time.Minute), Anchors: x.trust, Sidecar: &tsp.Sidecar{CRLs: [][]byte{x.crl}}, Whole: true, Cache: tsp.NewCache(100)}
	for i, r := range records {
		m := object(i)
		report := ers.Verify(ctx, r, []ers.Member{{Name: "message", Data: ers.Bytes(bytes.Clone(m[0]))}, {Name: "metadata", Data: ers.Bytes(m[1])}}, o)
		if report.Verdict != evidence.Valid {
			return fmt.Errorf("record %d: %v: %+v", i, report.Verdict, report.Findings)
		}
	}
	return nil
}
