//go:build !unix

package pgtest

import "errors"

func start() (*server, error) {
	return nil, errors.New("on this system only a server named by MUNIMENT_TEST_POSTGRES can be used")
}
