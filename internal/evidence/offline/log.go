package offline

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/inspect"
)

// Codes of findings about the event log.
const (
	// CodeLog: the proof that the arrival is in the event log does not hold, or is about
	// something else.
	CodeLog evidence.Code = "log-proof"
	// CodeLogKey: the log is signed with another key than the one that was given.
	CodeLogKey evidence.Code = "log-key-other"
	// CodeLogKeyUnknown: whose key signed the log was not asked: a remark.
	CodeLogKeyUnknown evidence.Code = "log-key-unknown"
	// CodeLogStamp: the evidence record of the checkpoint does not prove it.
	CodeLogStamp evidence.Code = "log-checkpoint-record"
)

// maxLogProof bounds the file of a proof, in bytes.
const maxLogProof = 8 << 20

// arrivals are the events by which an object comes into the archive.
func arrivals() []string {
	return []string{"message.stored", "message.quarantined", "message.restored"}
}

// logs remembers checkpoints, because all objects of a bundle mostly share one. Safe
// for concurrent use; nil remembers nothing.
type logs struct {
	mu    sync.Mutex
	text  string
	open  *eventlog.OpenReceipt
	stamp checkpointStamp
}

// checkpointStamp is what came of the evidence record of a checkpoint.
type checkpointStamp struct {
	at      time.Time        // first time stamp, if it is proven; zero: it has none
	verdict evidence.Verdict // of the record; valid if there is none
	problem string           // why it is not valid
}

// log verifies the proof that the arrival of the object is in the event log.
func (j *judging) log(ctx context.Context, metadata *evidence.Metadata) {
	if j.p.Log == nil {
		return
	}
	out := &inspect.Log{}
	j.facts.Log = out
	if err := j.logProof(ctx, out, metadata); err != nil {
		out.Problem = err.Error()
		j.note(CodeLog, evidence.Invalid, j.p.Manifest.Log, "%v", err)
	}
}

func (j *judging) logProof(ctx context.Context, out *inspect.Log, metadata *evidence.Metadata) error {
	p, err := eventlog.ParseInclusionProof(j.p.Log)
	if err != nil {
		return err
	}
	r, stamp, err := j.t.logs.receipt(ctx, p.Receipt, j.t.Options)
	if err != nil {
		return err
	}
	leaf, err := p.CheckAgainst(r)
	if err != nil {
		return err
	}
	m := j.p.Manifest
	if leaf.Object != m.AOID || leaf.Tenant != m.Tenant || !slices.Contains(arrivals(), leaf.Type) {
		return fmt.Errorf("it is about the event %q of object %q of tenant %q", leaf.Type, leaf.Object, leaf.Tenant)
	}
	*out = inspect.Log{Seq: leaf.Seq, Event: leaf.Type, Time: time.UnixMilli(leaf.Time).UTC(), Size: r.Head.Size, Signed: r.Time, Origin: r.Origin, Key: p.Receipt.Key, Stamped: stamp.at}
	if stamp.verdict != evidence.Valid {
		j.note(CodeLogStamp, stamp.verdict, m.Log, "%s", stamp.problem)
	}
	if err := j.binds(out, leaf, metadata); err != nil {
		return err
	}
	switch {
	case j.t.LogKey == nil:
		j.note(CodeLogKeyUnknown, evidence.Valid, m.Log, "whose key signed the event log was not asked; --log-key compares it")
	case !r.Knows(j.t.LogKey):
		j.note(CodeLogKey, evidence.Invalid, m.Log, "the event log is signed with another key than the one given")
	default:
		out.KeyKnown = true
	}
	return nil
}

// binds looks whether the event is about these bytes: it holds their hash value with
// the salt that the metadata tell.
func (j *judging) binds(out *inspect.Log, leaf *eventlog.Leaf, metadata *evidence.Metadata) error {
	i := slices.IndexFunc(j.p.Manifest.Members, func(x ManifestMember) bool { return x.Name == "original" })
	if metadata == nil || i < 0 || leaf.Digest == "" {
		return nil
	}
	for _, salt := range []string{hex.EncodeToString(metadata.Salt[:]), ""} { // archives of early releases had none
		h := sha256.New()
		h.Write([]byte(salt))
		h.Write(j.p.Members[i].SHA256)
		if hex.EncodeToString(h.Sum(nil)) == leaf.Digest {
			out.Binds = true
			return nil
		}
	}
	return fmt.Errorf("the event %d is about other bytes", leaf.Seq)
}

// receipt opens a checkpoint and verifies the record on it, if it has one.
func (l *logs) receipt(ctx context.Context, r *eventlog.Receipt, o ers.Options) (open *eventlog.OpenReceipt, stamp checkpointStamp, err error) {
	b, err := r.Encode()
	if err != nil {
		return nil, stamp, err
	}
	if l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.open != nil && l.text == string(b) {
			return l.open, l.stamp, nil
		}
	}
	if open, err = r.Open(); err != nil {
		return nil, stamp, err
	}
	if len(r.EvidenceRecord) > 0 {
		stamp = judgeStamp(ctx, r, o)
	}
	if l != nil {
		l.text, l.open, l.stamp = string(b), open, stamp
	}
	return open, stamp, nil
}

func judgeStamp(ctx context.Context, r *eventlog.Receipt, o ers.Options) checkpointStamp {
	o.Whole = false
	report := ers.Verify(ctx, r.EvidenceRecord, []ers.Member{{Name: "checkpoint", Data: ers.Bytes(r.Checkpoint)}}, o)
	switch report.Verdict {
	case evidence.Valid:
		return checkpointStamp{at: report.Proven}
	case evidence.Invalid:
		return checkpointStamp{verdict: evidence.Invalid, problem: "the evidence record of the checkpoint does not prove it: " + Gravest(report.Findings)}
	}
	return checkpointStamp{verdict: report.Verdict, problem: "whether the evidence record proves the checkpoint cannot be told: " + Gravest(report.Findings)}
}

// parseLogKey reads a key as "muniment log key" prints it, or its base64 part.
func parseLogKey(text string) (ed25519.PublicKey, error) {
	if text == "" {
		return nil, nil
	}
	if _, k, err := eventlog.ParseVerifierKey(text); err == nil {
		return k, nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil && len(b) == ed25519.PublicKeySize+1 && bytes.HasPrefix(b, []byte{1}) {
		b = b[1:]
	}
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("log key %.100q: want what muniment log key prints", text)
	}
	return b, nil
}
