package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/evidence/offline"
)

// Exit codes of verify-log.
const (
	exitInvalid       = 1
	exitIndeterminate = 2
)

// maxProofFile bounds receipts and proofs, in bytes.
const maxProofFile = 8 << 20

type verifyLogCmd struct {
	Receipt   []string  `help:"Receipt; two or more, or one and --log." type:"existingfile" placeholder:"FILE"`
	Proof     []string  `help:"Proof between the sizes of two receipts (muniment log proof)." type:"existingfile" placeholder:"FILE"`
	Log       string    `help:"Exported log (muniment log export): everything in it is computed again." type:"existingfile" placeholder:"FILE"`
	Inclusion []string  `help:"Proof that an event is in the log." type:"existingfile" placeholder:"FILE"`
	Key       string    `help:"The key of the log that is known from elsewhere (muniment log key), or its base64 part. Without, all files must be of one key, whosever it is."`
	Anchors   []string  `type:"path" help:"Trusted certificate, or directory of them (PEM or DER): each receipt must have a time stamp that leads there; may be repeated." placeholder:"PATH" sep:"none"`
	Beside    []string  `type:"path" help:"Sidecar, certificate, CRL or OCSP response, or directory of them; may be repeated." placeholder:"PATH" sep:"none"`
	At        time.Time `help:"Time as of which time stamps are verified (RFC 3339); now if not given." placeholder:"TIME"`
	Revoked   bool      `name:"require-revocation" help:"The time stamps must come with revocation data (see --beside)."`
	JSON      bool      `name:"json" help:"Print the result as JSON."`
}

// includedEvent is an event that a proof shows to be in a log.
type includedEvent struct {
	File  string        `json:"file"`
	Event eventlog.Leaf `json:"event"`
	Size  int64         `json:"size"`
}

type verifyLogResult struct {
	*eventlog.Comparison
	Events []includedEvent `json:"events,omitempty"`
	// Stamps are about the evidence records of the receipts.
	Stamps []offline.ReceiptReport `json:"time_stamps,omitempty"`
}

// Run needs no archive: it is for whoever holds receipts.
func (c *verifyLogCmd) Run(ctx context.Context, s *streams) error {
	result, err := c.verify(ctx)
	if err != nil {
		return &exitCode{exitIndeterminate, err}
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		if err := e.Encode(result); err != nil {
			return err
		}
	} else {
		result.print(s.out)
	}
	switch result.Verdict {
	case eventlog.Valid:
		return nil
	case eventlog.Invalid:
		return &exitCode{exitInvalid, errors.New("invalid")}
	}
	return &exitCode{exitIndeterminate, errors.New("indeterminate: see above what is missing")}
}

func (c *verifyLogCmd) verify(ctx context.Context) (*verifyLogResult, error) {
	if len(c.Receipt)+len(c.Inclusion) == 0 {
		return nil, errors.New("name at least one --receipt or --inclusion")
	}
	var e eventlog.Evidence
	var err error
	if e.Key, err = trustedKey(c.Key); err != nil {
		return nil, err
	}
	out := &verifyLogResult{Comparison: &eventlog.Comparison{Verdict: eventlog.Valid, Receipts: []eventlog.ComparedReceipt{}, Findings: []eventlog.Finding{}}}
	var receipts []eventlog.Named
	var sizes []int64
	for _, name := range c.Receipt {
		r, err := parseFile(name, eventlog.ParseReceipt)
		if unread(out, name, err) {
			continue
		}
		receipts = append(receipts, eventlog.Named{Name: name, Receipt: r})
		if o, err := r.Open(); err == nil {
			sizes = append(sizes, o.Head.Size)
		}
	}
	for _, name := range c.Proof {
		p, err := parseFile(name, eventlog.ParseConsistencyProof)
		if !unread(out, name, err) {
			e.Proofs = append(e.Proofs, p)
		}
	}
	for _, name := range c.Inclusion {
		if r := c.included(out, name); r != nil {
			receipts = append(receipts, *r)
		}
	}
	if c.Log != "" {
		f, err := os.Open(c.Log)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		e.Log, err = eventlog.ReadExport(f, sizes, nil)
		unread(out, c.Log, err)
	}
	if len(out.Findings) > 0 {
		return out, nil
	}
	out.Comparison = eventlog.Compare(receipts, e)
	out.alone(c)
	out.Stamps, err = offline.Request{Anchors: c.Anchors, Beside: c.Beside, At: c.At, NoRevocation: !c.Revoked}.Receipts(ctx, receipts, out.Comparison)
	return out, err
}

// alone accepts a proof that an event is in the log of one receipt: it says nothing
// of other times, and was not asked to.
func (r *verifyLogResult) alone(c *verifyLogCmd) {
	if len(r.Findings) == 1 && r.Findings[0].Code == eventlog.CodeAlone && len(c.Inclusion) == 1 && len(c.Receipt) == 0 {
		r.Verdict, r.Findings = eventlog.Valid, []eventlog.Finding{}
	}
}

// included checks the proof that an event is in a log.
func (c *verifyLogCmd) included(out *verifyLogResult, name string) *eventlog.Named {
	p, err := parseFile(name, eventlog.ParseInclusionProof)
	if unread(out, name, err) {
		return nil
	}
	leaf, r, err := p.Check()
	if unread(out, name, err) {
		return nil
	}
	out.Events = append(out.Events, includedEvent{name, *leaf, r.Head.Size})
	return &eventlog.Named{Name: name, Receipt: p.Receipt}
}

// unread reports whether a file is not what it should be, and takes note.
func unread(out *verifyLogResult, name string, err error) bool {
	if err == nil {
		return false
	}
	code := eventlog.CodeUnreadable
	if errors.Is(err, eventlog.ErrSignature) {
		code = eventlog.CodeSignature
	} else if errors.Is(err, eventlog.ErrProof) {
		code = eventlog.CodeRewritten
	}
	out.Verdict = eventlog.Invalid
	out.Findings = append(out.Findings, eventlog.Finding{Code: code, Text: fmt.Sprintf("%s: %v", name, err)})
	return true
}

func parseFile[T any](name string, parse func([]byte) (*T, error)) (*T, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxProofFile+1))
	if err != nil {
		return nil, err
	}
	return parse(b)
}

// trustedKey reads a verifier key or the base64 form of an Ed25519 key.
func trustedKey(text string) (ed25519.PublicKey, error) {
	if text == "" {
		return nil, nil
	}
	if _, k, err := eventlog.ParseVerifierKey(text); err == nil {
		return k, nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil && len(b) == ed25519.PublicKeySize+1 && b[0] == 1 {
		b = b[1:]
	}
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("--key %.100q: want what muniment log key prints", text)
	}
	return b, nil
}

func (r *verifyLogResult) print(w io.Writer) {
	if r.Origin != "" {
		fmt.Fprintln(w, "log:", r.Origin)
	}
	for _, x := range r.Receipts {
		day := ""
		if x.Day != "" {
			day = ", receipt of " + x.Day + " " + x.Zone
		}
		fmt.Fprintf(w, "%s: %d events, signed %s%s, root %s\n", x.Name, x.Size, x.Time.Format("2006-01-02T15:04:05Z"), day, x.Root)
	}
	for _, x := range r.Stamps {
		x.Text(w)
	}
	for _, x := range r.Events {
		fmt.Fprintf(w, "%s: event %d, %s, is in the log of %d events\n", x.File, x.Event.Seq, x.Event.Type, x.Size)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%s: %s\n", f.Code, f.Text)
	}
	switch {
	case r.Verdict == eventlog.Valid && len(r.Receipts) > 1:
		fmt.Fprintln(w, "valid: nothing that the first receipt covers was removed, changed, inserted or put into another order until the last one")
	default:
		fmt.Fprintln(w, r.Verdict)
	}
	if r.Verdict == eventlog.Valid && !r.KeyTrusted {
		fmt.Fprintln(w, "The files are signed by one and the same key; whose it is, only --key can tell.")
	}
}
