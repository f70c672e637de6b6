package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/httpd"
)

// maxOrder bounds the file with an order, in bytes, as the REST interface does.
const maxOrder = 1 << 20

type provisionCmd struct {
	Order string `arg:"" help:"File with the order as JSON, as POST /provisioning/tenants takes it; -: standard input." default:"-"`
}

func (c *provisionCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	in := io.Reader(os.Stdin)
	if c.Order != "-" {
		f, err := os.Open(c.Order)
		if err != nil {
			return usage(err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxOrder+1))
	if err != nil {
		return err
	}
	if len(b) > maxOrder {
		return usage(fmt.Errorf("order: more than %d bytes", maxOrder))
	}
	o, err := readOrder(b)
	if err != nil {
		return usage(err)
	}
	a, err := g.open(ctx, s, founding)
	if err != nil {
		return err
	}
	defer a.close()
	p, err := a.archive.AsOperator().Provision(ctx, o)
	var different *archive.DifferentOrder
	if errors.As(err, &different) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	enc := json.NewEncoder(s.out)
	enc.SetIndent("", "  ")
	return enc.Encode(httpd.ProvisionedOf(p))
}

// readOrder reads one order. Unknown members are mistakes, and so is what follows it.
func readOrder(b []byte) (archive.Order, error) {
	var o api.Order
	if !utf8.Valid(b) {
		return archive.Order{}, errors.New("order: the file is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&o); err != nil {
		return archive.Order{}, fmt.Errorf("order: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return archive.Order{}, errors.New("order: something follows it; one file is one order")
	}
	return httpd.OrderOf(o), nil
}
