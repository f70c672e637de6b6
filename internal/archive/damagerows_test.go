package archive_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
)

// free are tables and columns that nothing guards, because nothing depends on
// them: what waits to be indexed again, and the programs' own bookkeeping.
func free(table, column string) bool {
	return table == "schema_version" || strings.HasPrefix(table, "sqlite_") || table == "reindex" || table == "head" && column == "indexed"
}

// Columns of different tables are damaged at the same time, each to be named; those of
// the logs, whose damage is told of in other words, by themselves.
func TestDamagedRowsAreFound(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t)
	withRules(t, dir)
	file := filepath.Join(dir, "catalog.db")
	healthy, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var alone, rounds [][]column
	seen := map[string]int{}
	for _, c := range columns(t, file) {
		switch {
		case free(c.table, c.column):
		case slices.Contains([]string{"event", "event_detail", "event_node", "head", "tenant", "user_address"}, c.table):
			alone = append(alone, []column{c})
		default:
			n := seen[c.table]
			seen[c.table]++
			if n == len(rounds) {
				rounds = append(rounds, nil)
			}
			rounds[n] = append(rounds[n], c)
		}
	}
	for _, round := range append(alone, rounds...) {
		if err := os.WriteFile(file, healthy, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, c := range round {
			damageColumn(t, file, c)
		}
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%v: panic: %v", round, p)
				}
			}()
			e := archivetest.New(t, archivetest.Options{Dir: dir})
			defer e.Close()
			t.Log(round)
			if len(round) == 1 {
				findings(t, e, []string{strings.TrimSuffix(round[0].table, "_address"), "log", "tenant"})
				return
			}
			allNamed(t, e, round)
		}()
	}
}

// allNamed requires that fsck finds damage and names every table of a round.
func allNamed(t *testing.T, e *archivetest.Env, round []column) {
	t.Helper()
	var all strings.Builder
	_, err := e.Fsck(t.Context(), archive.FsckOptions{Report: func(f archive.Finding) {
		if f.Severity == archive.Damage {
			fmt.Fprintf(&all, "%s: %s\n", f.Object, f.What)
		}
	}})
	if err != nil {
		fmt.Fprintln(&all, err)
	}
	for _, c := range round {
		if !regexp.MustCompile(`\b` + c.table + `\b`).MatchString(all.String()) {
			t.Errorf("fsck finds no damage that names %s, whose %s has changed:\n%s", c.table, c.column, all.String())
		}
	}
}

type column struct{ table, column, kind string }

func columns(t *testing.T, file string) (out []column) {
	t.Helper()
	db := openSQL(t, file)
	defer db.Close()
	rows, err := db.Query(`SELECT m.name, p.name, p.type FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.table, &c.column, &c.kind); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// damageColumn changes one column of one row.
func damageColumn(t *testing.T, file string, c column) {
	t.Helper()
	db := openSQL(t, file)
	defer db.Close()
	value := map[string]string{"INTEGER": `"%s" + 1`, "TEXT": `CASE WHEN "%s" = '' THEN 'x' ELSE substr("%[1]s", 1, length("%[1]s") - 1) || CASE WHEN substr("%[1]s", -1) = '7' THEN '8' ELSE '7' END END`,
		"BLOB": `CASE WHEN length("%s") = 0 THEN x'07' ELSE CAST(substr("%[1]s", 1, length("%[1]s") - 1) || CASE WHEN substr("%[1]s", -1) = x'07' THEN x'08' ELSE x'07' END AS BLOB) END`}[c.kind]
	for _, key := range []string{"", " WITHOUT ROWID"} {
		where := "rowid = (SELECT max(rowid) FROM \"" + c.table + "\")"
		if key != "" {
			where = fmt.Sprintf(`"%s" = (SELECT max("%[1]s") FROM "%s")`, c.column, c.table)
		}
		res, err := db.Exec(fmt.Sprintf(`UPDATE "%s" SET "%s" = %s WHERE %s`, c.table, c.column, fmt.Sprintf(value, c.column), where))
		if err != nil {
			continue
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			t.Fatalf("%s is empty: the test shows nothing of it", c.table)
		}
		return
	}
	t.Fatalf("cannot damage %s.%s", c.table, c.column)
}

func openSQL(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=foreign_keys(0)&_pragma=ignore_check_constraints(1)")
	if err != nil {
		t.Fatal(err)
	}
	return db
}
