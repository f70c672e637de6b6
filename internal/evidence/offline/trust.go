package offline

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/brainpool"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// Limits of what is read beside the record.
const (
	maxFile  = 64 << 20 // bytes; large CRLs have 20 MB
	maxFiles = 10_000   // in a directory
)

// files lists the files that the paths name, directories not entered further.
func files(paths []string) ([]string, error) {
	var all []string
	for _, p := range paths {
		st, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !st.IsDir() {
			all = append(all, p)
			continue
		}
		entries, err := os.ReadDir(p)
		if err != nil {
			return nil, err
		}
		if len(entries) > maxFiles {
			return nil, fmt.Errorf("%s: more than %d files", p, maxFiles)
		}
		for _, e := range entries {
			if e.Type().IsRegular() {
				all = append(all, filepath.Join(p, e.Name()))
			}
		}
	}
	return all, nil
}

// blocks returns the parts of a file: those of PEM, or the file itself.
func blocks(path string) ([][]byte, error) {
	b, err := read(path, maxFile)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		all = append(all, block.Bytes)
	}
	if all == nil {
		all = [][]byte{b}
	}
	return all, nil
}

// CodeAnchor is the code of a remark: a certificate in a directory of anchors
// cannot be used, because it is damaged or its key is of a kind that is not
// supported.
const CodeAnchor evidence.Code = "anchor-not-usable"

// certificates reads trust anchors. What is named and is no certificate is an
// error; what merely lies in a directory with others is a remark, as lists of
// roots hold keys that not every program supports.
func certificates(paths []string) ([]*x509.Certificate, evidence.Findings, error) {
	names, err := files(paths)
	if err != nil {
		return nil, nil, err
	}
	var all []*x509.Certificate
	var remarks evidence.Findings
	for _, name := range names {
		parts, err := blocks(name)
		if err != nil {
			return nil, nil, err
		}
		for _, b := range parts {
			c, err := brainpool.ParseCertificate(b)
			switch {
			case err == nil:
				all = append(all, c)
			case slices.Contains(paths, name):
				return nil, nil, fmt.Errorf("%s is not a certificate (PEM or DER) that can be used: %w", name, err)
			default:
				remarks = append(remarks, evidence.Finding{Code: CodeAnchor, Chain: -1, Stamp: -1, Detail: fmt.Sprintf("%s: %v", name, err)})
			}
		}
	}
	return all, remarks, nil
}

// sidecar reads sidecars, certificates, CRLs and OCSP responses.
func sidecar(paths []string) (*tsp.Sidecar, error) {
	names, err := files(paths)
	if err != nil {
		return nil, err
	}
	all := &tsp.Sidecar{}
	for _, name := range names {
		parts, err := blocks(name)
		if err != nil {
			return nil, err
		}
		for _, b := range parts {
			var s tsp.Sidecar
			if err := s.UnmarshalBinary(b); err == nil {
				all.Merge(&s)
			} else if _, err := brainpool.ParseCertificate(b); err == nil {
				all.Merge(&tsp.Sidecar{Certificates: [][]byte{b}})
			} else if _, err := x509.ParseRevocationList(b); err == nil {
				all.Merge(&tsp.Sidecar{CRLs: [][]byte{b}})
			} else if basic, err := tsp.ParseOCSP(b); err == nil {
				all.Merge(&tsp.Sidecar{OCSP: [][]byte{basic}})
			} else {
				return nil, fmt.Errorf("%s is no sidecar, certificate, CRL or OCSP response", name)
			}
		}
	}
	return all, nil
}

// Anchors reads certificates that are trusted: files, or directories of them.
// ErrRequest.
func Anchors(paths []string) (*tsp.Anchors, error) {
	list, _, err := certificates(paths)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return tsp.NewAnchors(list), nil
}
