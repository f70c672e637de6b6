// Package pgtest gives tests a PostgreSQL database of their own.
//
// If MUNIMENT_TEST_POSTGRES holds a connection string (postgres://…) of a
// server whose user may create databases, that server is used. Otherwise a
// server is started from the binaries on this machine, once per test process, in
// a temporary directory that goes when the process ends, however it ends. It
// does not sync: it survives no power failure, and no test may need it to.
//
// Without a server the test fails: what has not been tried does not hold.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// adminTimeout bounds creating and dropping a database.
const adminTimeout = time.Minute

// DSN returns the connection string of a fresh, empty database, which is
// dropped when the test ends.
func DSN(t testing.TB) string {
	t.Helper()
	running, err := theServer()
	if err != nil {
		t.Fatalf("no PostgreSQL (scripts/setup installs it): %v", err)
	}
	server := running.dsn
	name := "test_" + strings.ToLower(rand.Text())
	if err := admin(server, "CREATE DATABASE "+name+" ENCODING 'UTF8' TEMPLATE template0"); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		if err := admin(server, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("connection string of the test server: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}

func admin(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	if err != nil {
		err = fmt.Errorf("%s: %w", statement, err)
	}
	if closeErr := conn.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}

// server is a running server. It ends when life is closed, at the latest when
// the process ends.
type server struct {
	dsn  string
	life io.Closer
}

// theServer starts the server of this process on first use. It is the only
// state of the package: starting a server for each test would take seconds.
var theServer = sync.OnceValues(func() (*server, error) {
	if dsn := os.Getenv("MUNIMENT_TEST_POSTGRES"); dsn != "" {
		return &server{dsn: dsn}, nil
	}
	return start()
})
