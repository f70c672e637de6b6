package archive

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
)

// arrivalProofs proves, for one bundle, that objects came into the log of a tenant: each by the
// first checkpoint with a time stamp that covers its arrival, or, if there is none yet, by
// one that is signed when the bundle is made. Not safe for concurrent use.
type arrivalProofs struct {
	a       *Archive
	tenant  uid.ID
	now     *eventlog.Receipt
	stamped *stampedLog // the last one that was found; nil: none
}

// stampedLog is a checkpoint with a time stamp.
type stampedLog struct {
	receipt *eventlog.Receipt // with its evidence record
	size    int64             // events that it covers
	least   int64             // the fewest events that it was asked for, and is the first to cover
	stamps  []*seal.Stamp     // of the evidence record, in its order
	beside  *tsp.Sidecar
}

// arrivalProofs begins a bundle. The checkpoint is signed first: that may append the event of a
// new key.
func (a *Archive) arrivalProofs(ctx context.Context, tenant uid.ID) (*arrivalProofs, error) {
	now, err := a.Checkpoint(ctx, tenant)
	return &arrivalProofs{a: a, tenant: tenant, now: now}, err
}

// arrival proves that the arrival of a message is in the log. Nil: the log has no such
// event, as it was begun after the message came, or as it came after the checkpoint. The
// checkpoint is nil if it has no time stamp.
func (x *arrivalProofs) arrival(ctx context.Context, aoid uid.ID) ([]byte, *stampedLog, error) {
	now, err := x.now.Open()
	if err != nil {
		return nil, nil, err
	}
	seq, err := x.a.catalog.ArrivalEvent(ctx, x.tenant, aoid.String())
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if s := x.covering(ctx, seq); s != nil {
		proof, err := x.prove(ctx, seq, s.size, s.receipt)
		if err == nil {
			return proof, s, nil
		}
		if ctx.Err() != nil {
			return nil, nil, err
		}
		x.a.log.Error("the event log is not what a checkpoint with a time stamp says; muniment audit tells more", "tenant", x.tenant, "event", seq, "size", s.size, "error", err)
	}
	if seq >= now.Head.Size {
		return nil, nil, nil
	}
	proof, err := x.prove(ctx, seq, now.Head.Size, x.now)
	if err != nil { // the log was rewritten after the checkpoint
		return nil, nil, fmt.Errorf("arrival of message %s in the event log: %w", aoid, err)
	}
	return proof, nil, nil
}

func (x *arrivalProofs) prove(ctx context.Context, seq, size int64, checkpoint *eventlog.Receipt) ([]byte, error) {
	p, err := x.a.catalog.ProveEvent(ctx, x.tenant, seq, size)
	if err != nil {
		return nil, err
	}
	proof := &eventlog.InclusionProof{Leaf: string(p.Leaf), Hashes: p.Path, Receipt: checkpoint}
	if _, _, err := proof.Check(); err != nil {
		return nil, err
	}
	return proof.Encode()
}

// covering returns the first checkpoint with a time stamp that covers an event; nil if
// there is none, or it cannot be read: then the event is proven by the present state.
func (x *arrivalProofs) covering(ctx context.Context, seq int64) *stampedLog {
	if s := x.stamped; s != nil && s.least <= seq+1 && seq < s.size {
		return s
	}
	s, err := x.a.stampedLog(ctx, x.tenant, seq+1)
	switch {
	case err == nil:
		x.stamped = s
		return s
	case !errors.Is(err, catalog.ErrNotFound) && !errors.Is(err, ErrNotSealed):
		x.a.log.Error("the time stamp of a checkpoint cannot be read", "tenant", x.tenant, "event", seq, "error", err)
	}
	return nil
}

// stampedLog returns the first checkpoint with a time stamp that covers so many events,
// and what its verification needs. catalog.ErrNotFound, ErrNotSealed.
func (a *Archive) stampedLog(ctx context.Context, tenant uid.ID, least int64) (*stampedLog, error) {
	c, err := a.catalog.SealedCheckpoint(ctx, tenant, least, true)
	if err != nil {
		return nil, err
	}
	chains, member, err := a.checkpointChains(ctx, c.Batch, c.Position)
	if err != nil {
		return nil, err
	}
	x := &stampedLog{size: c.Size, least: least, beside: &tsp.Sidecar{}}
	if x.receipt, err = a.sealedReceipt(ctx, c, chains, member); err != nil {
		return nil, err
	}
	for _, chain := range chains {
		for _, s := range chain.line {
			x.stamps = append(x.stamps, s.stamp)
			x.beside.Merge(s.beside)
		}
	}
	return x, nil
}

// Files that the commands for the event log make, in the directory of the bundle.
const (
	logEventFile      = "log-event.json"
	logCheckpointFile = "log-checkpoint.txt"
	logKeyFile        = "log-key.pem"
	logSignatureFile  = "log-checkpoint.sig"
	logNoteFile       = "log-checkpoint-signed.txt"
)

// ed25519Prefix is what goes before an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410
// §4).
const ed25519Prefix = "302a300506032b6570032100"

// logSteps lists the commands that lead from the event to the signature on the
// checkpoint, with nothing but openssl and xxd. words say what each part does.
func logSteps(raw []byte, words [5]string) (string, error) {
	p, err := eventlog.ParseInclusionProof(raw)
	if err != nil {
		return "", err
	}
	leaf, o, err := p.Check()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	at := eventlog.LeafHash([]byte(p.Leaf))
	fmt.Fprintf(&b, "   # %s\n   printf '%%s' '%s' > %s\n   (printf '\\000'; cat %[3]s) | openssl dgst -sha256\n      %s\n", words[0], p.Leaf, logEventFile, hex.EncodeToString(at[:]))
	for _, s := range eventlog.PathSteps(leaf.Seq, o.Head.Size, at, p.Hashes) {
		fmt.Fprintf(&b, "\n   # %s\n   printf '%%s' 01 \\\n     %s \\\n     %s \\\n     | xxd -r -p | openssl dgst -sha256\n      %s\n", words[1],
			hex.EncodeToString(s.Left[:]), hex.EncodeToString(s.Right[:]), hex.EncodeToString(s.Result[:]))
	}
	sign, err := checkpointSteps(p.Receipt.Checkpoint, o, words)
	return b.String() + sign, err
}

// checkpointSteps verify the signature on a checkpoint (C2SP signed-note).
func checkpointSteps(note string, o *eventlog.OpenReceipt, words [5]string) (string, error) {
	text, signatures, _ := strings.Cut(note, "\n\n")
	_, encoded, _ := strings.Cut(strings.TrimSuffix(signatures, "\n"), o.Origin+" ")
	signature, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(signature) != 4+ed25519.SignatureSize {
		return "", errors.New("checkpoint without a signature that is alone")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n   # %s\n   printf '%%s' %s | xxd -r -p | openssl base64\n      %s\n", words[2], hex.EncodeToString(o.Head.Root[:]), base64.StdEncoding.EncodeToString(o.Head.Root[:]))
	fmt.Fprintf(&b, "\n   # %s\n   printf '%%s\\n'", words[3])
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(&b, " \\\n     '%s'", line)
	}
	fmt.Fprintf(&b, " \\\n     > %s\n", logCheckpointFile)
	fmt.Fprintf(&b, "\n   # %s\n   printf '%%s' %s \\\n     %s \\\n     | xxd -r -p | openssl pkey -pubin -inform DER -out %s\n", words[4], ed25519Prefix, hex.EncodeToString(o.Key), logKeyFile)
	fmt.Fprintf(&b, "   printf '%%s' \\\n     %s \\\n     | xxd -r -p > %s\n", hex.EncodeToString(signature[4:]), logSignatureFile)
	fmt.Fprintf(&b, "   openssl pkeyutl -verify -pubin -inkey %s -rawin -in %s -sigfile %s\n      Signature Verified Successfully\n", logKeyFile, logCheckpointFile, logSignatureFile)
	return b.String(), nil
}

// logStampSteps lead from the signed checkpoint through the time stamps of its evidence
// record, which at.log names. They go on after so many steps.
func logStampSteps(raw []byte, at bundlePaths, words *readmeWords, step int) (string, error) {
	proof, err := eventlog.ParseInclusionProof(raw)
	if err != nil {
		return "", err
	}
	note := proof.Receipt.Checkpoint
	rec, err := ers.ParseRecord(proof.Receipt.EvidenceRecord)
	if err != nil {
		return "", err
	}
	var write strings.Builder
	fmt.Fprintf(&write, "   # %s\n   printf '%%s\\n'", words.checkpoint.note)
	for line := range strings.SplitSeq(strings.TrimSuffix(note, "\n"), "\n") {
		fmt.Fprintf(&write, " \\\n     '%s'", line)
	}
	fmt.Fprintf(&write, " \\\n     > %s\n\n", logNoteFile)
	short, long := sha256.Sum256([]byte(note)), sha512.Sum512([]byte(note))
	w := *words
	w.step.members, w.group, w.before = words.checkpoint.heading, words.checkpoint.group, write.String()
	p := &offline.Parts{Members: []offline.Part{{SHA256: short[:], SHA512: long[:], More: ers.Bytes(note)}},
		Manifest: &offline.Manifest{Tokens: at.log, Members: []offline.ManifestMember{{Name: "checkpoint", File: logNoteFile}}}}
	list, _, err := steps(p, rec, at, &w, step)
	return list, err
}
