package eventlog

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Bounds of what others hand in.
const (
	maxNote  = 4096 // bytes of one signed note
	maxExtra = 160  // bytes of an extension line
)

// ErrFormat is returned (wrapped) for a file that is not in its one form.
var ErrFormat = errors.New("not in the form it has to have")

// Checkpoint is a head of a log with the time of its signature, and in a receipt
// the day it was made for.
type Checkpoint struct {
	Origin string
	Head   Head
	Time   time.Time // whole seconds
	// Day and Zone are of receipts only: the day in the tenant's time zone that
	// the receipt was made for. Both or none.
	Day  string // 2006-01-02
	Zone string // IANA name
}

// text is the body of the note: origin, size, root (C2SP tlog-checkpoint), and
// extension lines.
//
//	muniment/…/…
//	42
//	base64 of the root
//	time 2026-11-26T00:05:00Z
//	day 2026-11-25 Europe/Berlin
func (c *Checkpoint) text() (string, error) {
	if _, _, err := splitOrigin(c.Origin); err != nil {
		return "", err
	}
	if err := sized(c.Head.Size); err != nil {
		return "", err
	}
	if y := c.Time.Year(); y < 1970 || y > 9999 {
		return "", fmt.Errorf("checkpoint of the year %d", y)
	}
	t := c.Origin + "\n" + strconv.FormatInt(c.Head.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Head.Root[:]) + "\n" +
		"time " + c.Time.UTC().Format(time.RFC3339) + "\n"
	if c.Day == "" && c.Zone == "" {
		return t, nil
	}
	if d, err := time.Parse(time.DateOnly, c.Day); err != nil || d.Format(time.DateOnly) != c.Day {
		return "", fmt.Errorf("checkpoint of the day %.20q", c.Day)
	}
	if c.Zone == "" || len(c.Zone) > maxExtra || strings.ContainsFunc(c.Zone, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", fmt.Errorf("checkpoint of the time zone %.40q", c.Zone)
	}
	return t + "day " + c.Day + " " + c.Zone + "\n", nil
}

// Sign returns the checkpoint as a signed note. The name of its signature is the
// origin.
func (c *Checkpoint) Sign(key ed25519.PrivateKey) (string, error) {
	t, err := c.text()
	if err != nil {
		return "", err
	}
	return sign(c.Origin, t, key)
}

// OpenCheckpoint reads a checkpoint that key has signed. ErrSignature or ErrFormat.
func OpenCheckpoint(signed string, key ed25519.PublicKey) (*Checkpoint, error) {
	if len(signed) > maxNote {
		return nil, fmt.Errorf("checkpoint of %d bytes: %w", len(signed), ErrFormat)
	}
	origin, _, _ := strings.Cut(signed, "\n")
	text, err := open(origin, signed, key)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	c, err := parseCheckpoint(text)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w: %w", ErrFormat, err)
	}
	return c, nil
}

func parseCheckpoint(text string) (*Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 5 || len(lines) > 6 {
		return nil, fmt.Errorf("%d lines", len(lines)-1)
	}
	c := &Checkpoint{Origin: lines[0]}
	var err error
	if c.Head.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return nil, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(c.Head.Root) {
		return nil, fmt.Errorf("root %.50q", lines[2])
	}
	copy(c.Head.Root[:], root)
	if c.Time, err = time.Parse(time.RFC3339, strings.TrimPrefix(lines[3], "time ")); err != nil {
		return nil, err
	}
	if len(lines) == 6 {
		day, ok := strings.CutPrefix(lines[4], "day ")
		if c.Day, c.Zone, _ = strings.Cut(day, " "); !ok {
			return nil, fmt.Errorf("line %.50q", lines[4])
		}
	}
	again, err := c.text()
	if err == nil && again != text {
		err = errors.New("not in canonical form")
	}
	return c, err
}
