package pgtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestDatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var names []string
	for range 2 {
		conn, err := pgx.Connect(ctx, DSN(t))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		var name, encoding string
		if err := conn.QueryRow(ctx, "SELECT current_database(), current_setting('server_encoding')").Scan(&name, &encoding); err != nil {
			t.Fatal(err)
		}
		if encoding != "UTF8" {
			t.Errorf("encoding %s, want UTF8", encoding)
		}
		if _, err := conn.Exec(ctx, "CREATE TABLE only_here (x int)"); err != nil {
			t.Errorf("the database is not fresh: %v", err)
		}
		names = append(names, name)
	}
	if names[0] == names[1] {
		t.Errorf("both are %s", names[0])
	}
}
