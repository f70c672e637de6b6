package archive

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/muniment/muniment/internal/evidence/brainpool"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// What the verification of a bundle's time stamps needs, those on the checkpoint of the
// event log included.

// proof writes record, tokens and what their verification needs.
func (b *Bundle) proof(z *bundleWriter, p *offline.Parts) (*bundleTrust, error) {
	z.put(bundleRecord, b.Record)
	t, err := b.trust(p.Manifest)
	if err != nil {
		return nil, err
	}
	for i, s := range b.Stamps {
		name := fmt.Sprintf("token-%d.tst", i+1)
		z.put(name, s.Token)
		p.Manifest.Tokens[i].File = name
	}
	for i := range t.log {
		t.log[i].File = b.logToken(z, i)
	}
	z.put(bundleSidecar, t.der)
	z.put(bundleChain, certificates(t.side.Certificates))
	z.put(bundleAnchors, certificates(t.anchors))
	for i, c := range t.side.CRLs {
		z.put(fmt.Sprintf("trust/crl-%d.crl", i+1), c)
	}
	for i, o := range t.side.OCSP {
		z.put(fmt.Sprintf("trust/ocsp-%d.der", i+1), o)
	}
	return t, z.err
}

// logToken writes the i-th time stamp of the checkpoint, unless it is one of the object's,
// and returns its name. Mostly both were sealed together.
func (b *Bundle) logToken(z *bundleWriter, i int) string {
	token := b.stamped.stamps[i].Token
	for j, s := range b.Stamps {
		if bytes.Equal(s.Token, token) {
			return fmt.Sprintf("token-%d.tst", j+1)
		}
	}
	name := fmt.Sprintf("log-token-%d.tst", i+1)
	z.put(name, token)
	return name
}

// bundleTrust is what the verification of time stamps needs.
type bundleTrust struct {
	side    *tsp.Sidecar
	der     []byte                  // of side
	anchors [][]byte                // certificates that the archive trusted, each once
	log     []offline.ManifestToken // of the checkpoint
	trust   offline.Trust
}

// trust joins what was kept beside the time stamps, and tells of them in the manifest.
func (b *Bundle) trust(m *offline.Manifest) (*bundleTrust, error) {
	t := &bundleTrust{}
	var err error
	if t.side, err = b.Sidecar(); err != nil {
		return nil, err
	}
	if t.der, err = t.side.MarshalBinary(); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i, s := range b.all() {
		token, err := tsp.ParseToken(s.Token)
		if err != nil {
			return nil, err
		}
		x := offline.ManifestToken{Authority: s.Authority, GenTime: s.GenTime, Imprint: hex.EncodeToString(token.Info.Imprint)}
		if i < len(b.Stamps) {
			m.Tokens = append(m.Tokens, x)
			m.Test = m.Test || s.Test
		} else {
			t.log = append(t.log, x)
		}
		for _, raw := range s.Anchors {
			if seen[string(raw)] {
				continue
			}
			seen[string(raw)] = true
			c, err := brainpool.ParseCertificate(raw)
			if err != nil {
				return nil, err
			}
			t.anchors, t.trust.Anchors = append(t.anchors, raw), append(t.trust.Anchors, c)
		}
	}
	t.trust.Options = ers.Options{Anchors: tsp.NewAnchors(t.trust.Anchors), Sidecar: t.side}
	return t, nil
}
