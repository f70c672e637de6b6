//go:build !unix

package dovecot

import "errors"

func find() (string, error) { return "", errors.New("dovecot does not run on this system") }

func (*Server) start(string, Options) error { return errors.New("not on this system") }

// Stop does nothing.
func (*Server) Stop() error { return nil }
