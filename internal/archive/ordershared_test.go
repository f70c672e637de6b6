package archive_test

import (
	"errors"
	"testing"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
)

// TestOrderShared: an order that gives an address to two users has to say that it is
// shared.
func TestOrderShared(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	o := archive.Order{Name: "Muster", Domains: []archive.OrderDomain{{Name: "muster.example"}, {Name: "alias.example", AliasOf: "muster.example"}},
		Admin: &archive.OrderUser{Login: "chefin", Addresses: []string{"info@muster.example"}}, Users: []archive.OrderUser{{Login: "anna", Addresses: []string{"info@alias.example"}}}}
	var wrong *archive.FieldError
	if _, err := e.AsOperator().Provision(t.Context(), o); !errors.As(err, &wrong) || wrong.Field != "users[0].addresses" {
		t.Errorf("not said to be shared: %v", err)
	}
	o.Shared = []string{"info@muster.example"}
	if _, err := e.AsOperator().Provision(t.Context(), o); err != nil {
		t.Errorf("shared: %v", err)
	}
}
