package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/uid"
)

type holdCmd struct {
	List  holdListCmd  `cmd:"" help:"List the holds of a tenant, without their names and reasons: those are the tenant's own."`
	Place holdPlaceCmd `cmd:"" help:"Place a hold: what it covers is not deleted until two people of the tenant lift it."`
}

type holdListCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	listing
}

func (c *holdListCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	list, damaged := a.archive.HoldsOf(ctx, t.ID)
	var rows [][]any
	for _, h := range list {
		state := "in force"
		if !h.InForce() {
			state = "lifted " + h.LiftedAt.Format(time.DateOnly)
		}
		rows = append(rows, []any{h.ID, h.PlacedAt.Format(time.DateOnly), state, coverage(h.Scope)})
	}
	return errors.Join(c.print(s, []string{"id", "placed", "state", "covers"}, rows), damaged)
}

// coverage tells in a few words what a hold covers, and names nobody.
func coverage(s archive.HoldScope) string {
	text := "everything"
	switch {
	case len(s.Messages) > 0:
		return strconv.Itoa(len(s.Messages)) + " messages"
	case len(s.Addresses) > 0:
		text = strconv.Itoa(len(s.Addresses)) + " addresses"
	}
	if !s.From.IsZero() || !s.To.IsZero() {
		text += ", of a period"
	}
	return text
}

type holdPlaceCmd struct {
	Tenant  string   `arg:"" help:"Short name of the tenant."`
	Name    string   `arg:"" help:"What the hold is called."`
	Reason  string   `required:"" help:"Why nothing may be deleted."`
	All     bool     `help:"It covers everything, also what arrives later."`
	Address []string `help:"It covers the mail of this address, also what arrives later. May be repeated." sep:"none"`
	From    string   `help:"Only what has arrived since this day." placeholder:"YYYY-MM-DD"`
	To      string   `help:"Only what has arrived until this day." placeholder:"YYYY-MM-DD"`
	Message []string `help:"It covers this message. May be repeated." sep:"none" placeholder:"ID"`
}

func (c *holdPlaceCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	n := archive.NewHold{Name: c.Name, Reason: c.Reason, All: c.All, Addresses: c.Address, From: c.From, To: c.To}
	for _, m := range c.Message {
		id, err := uid.Parse(m)
		if err != nil {
			return usage(err)
		}
		n.Messages = append(n.Messages, id)
	}
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	h, err := a.archive.PlaceHold(ctx, t.ID, n)
	if errors.Is(err, archive.ErrInvalid) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "placed hold %s\n", h.ID)
	return nil
}
