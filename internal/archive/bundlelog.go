package archive

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

// arrivalProof proves that the arrival of a message is in the log of the checkpoint.
// Nil: the log has no such event, as it was begun after the message came.
//
// The checkpoint is signed when the bundle is made. Once checkpoints are stamped, one
// that has its own evidence record goes here instead: eventlog.Receipt has room for it,
// and the verifier looks at it.
func (a *Archive) arrivalProof(ctx context.Context, row *catalog.Message, checkpoint *eventlog.Receipt) ([]byte, error) {
	o, err := checkpoint.Open()
	if err != nil {
		return nil, err
	}
	seq, err := a.catalog.ArrivalEvent(ctx, row.Tenant, row.AOID.String())
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if seq >= o.Head.Size {
		return nil, nil // came after the checkpoint
	}
	p, err := a.catalog.ProveEvent(ctx, row.Tenant, seq, o.Head.Size)
	if err != nil {
		return nil, err
	}
	proof := &eventlog.InclusionProof{Leaf: string(p.Leaf), Hashes: p.Path, Receipt: checkpoint}
	if _, err := proof.CheckAgainst(o); err != nil { // the log was rewritten after the checkpoint
		return nil, fmt.Errorf("arrival of message %s in the event log: %w", row.AOID, err)
	}
	return proof.Encode()
}

// bundleCheckpoint is the checkpoint of bundles that are made now.
func (a *Archive) bundleCheckpoint(ctx context.Context, tenant uid.ID) (*eventlog.Receipt, error) {
	return a.Checkpoint(ctx, tenant)
}

// Files that the commands for the event log make, in the directory of the bundle.
const (
	logEventFile      = "log-event.json"
	logCheckpointFile = "log-checkpoint.txt"
	logKeyFile        = "log-key.pem"
	logSignatureFile  = "log-checkpoint.sig"
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
