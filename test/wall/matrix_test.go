package wall

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
)

// The matrix says for every operation what everybody gets: nobody, each role, and the
// same roles of a foreign tenant, who ask with the ids of alpha's things. An operation
// without a row fails the test; so does a row that the table of rights contradicts.
//
//   - allowed: the status of the row   u unauthenticated, 401
//     f forbidden, 403                   n not found, 404
//     w wrong, 422: they may do it, but not with this request
//     s same, 403: they may do it, but not with what they or their role asked for
type row struct {
	op      string
	own     string // nobody operator reseller tenant-admin auditor dpo user
	foreign string // reseller tenant-admin auditor dpo user
	id      string // which of alpha's things {id} or {name} is
	query   string
	body    string // empty: that of the walk
	ok      int    // status of those who are allowed
}

// Columns that many rows have. To add an operation, add one line to a list of rows.
const (
	everybody = "+ + + + + + +"
	insiders  = "u + + + + + +" // whoever has a session
	ofTenants = "u f f + + + +"
	admins    = "u f f + f f f"
	operators = "u + f f f f f"
	sellers   = "u + + f f f f" // operators, and resellers with what is theirs
	watchers  = "u + f + + + f" // of the log: operators have the installation's
	provers   = "u f f + + + f"

	foreignAll      = "+ + + + +"
	foreignOwn      = "f + + + +" // they get their own
	foreignNone     = "f n n n n" // they may do it, not with what is alpha's
	foreignAdmin    = "f + f f f"
	foreignAdmins   = "f n f f f"
	foreignSeller   = "+ f f f f" // beta's reseller gets its own
	foreignSellers  = "n f f f f"
	foreignWatchers = "f + + + f" // they get their own log
	foreignF        = "f f f f f"
)

// matrix lists all rows. They are asked in this order.
func matrix() []row {
	return slices.Concat(sessionRows(), mailRows(), uploadRows(), accessRows(), sourceRows(), routingRows(), directoryRows(), logRows(), evidenceRows(),
		userRows(), logInRows(), installationRows(), tokenRows(), webhookRows(), staffRows(), resellerRows(), tenantRows(), ownLogInRows(), preservationRows())
}

// roles of the columns of a row.
func ownRoles() []access.Role { return append([]access.Role{""}, access.Roles()...) }

func foreignRoles() []access.Role { return access.Roles()[1:] }

// The matrix has one row for each operation, and agrees with the table of rights.
func TestMatrixIsComplete(t *testing.T) {
	t.Parallel()
	declared := declaredRights(t)
	rows := map[string]row{}
	for _, r := range matrix() {
		if _, twice := rows[r.op]; twice {
			t.Errorf("%s has two rows", r.op)
		}
		rows[r.op] = r
	}
	for _, o := range operations(t) {
		r, ok := rows[o.id]
		if !ok {
			t.Errorf("operation %s has no row in the matrix", o.id)
			continue
		}
		delete(rows, o.id)
		own, foreign := strings.Fields(r.own), strings.Fields(r.foreign)
		if len(own) != len(ownRoles()) || len(foreign) != len(foreignRoles()) || r.ok == 0 {
			t.Errorf("%s: the row lacks cells", o.id)
			continue
		}
		right := access.Right(declared[o.id])
		agree := func(who string, role access.Role, cell string) {
			want := right == "" || role != "" && access.Allowed(role, right)
			if role == "" && right != "" && cell != "u" || role != "" && want == (cell == "f") || cell == "u" && role != "" {
				t.Errorf("%s as %s %s: the matrix says %q, the table of rights %v (%s)", o.id, who, role, cell, want, right)
			}
		}
		for i, role := range ownRoles() {
			agree("own", role, own[i])
		}
		for i, role := range foreignRoles() {
			agree("foreign", role, foreign[i])
		}
	}
	for id := range rows {
		t.Errorf("the matrix has a row for %s, which is no operation", id)
	}
}

func declaredRights(t *testing.T) map[string]string {
	t.Helper()
	raw, err := api.Spec()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			ID    string `json:"operationId"`
			Right string `json:"x-muniment-right"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, methods := range doc.Paths {
		for _, o := range methods {
			out[o.ID] = o.Right
		}
	}
	return out
}

// cell is one request of the matrix.
type cell struct {
	who   string // log-in; empty: nobody
	wants string
}

// TestMatrix asks every operation as everybody, with ids of alpha's things. Those who
// must not, come first: what they do must have no effect on those who may.
func TestMatrix(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	paths := map[string]operation{}
	for _, o := range operations(t) {
		paths[o.id] = o
	}
	clients := map[string]*http.Client{}
	for _, r := range matrix() {
		cells := cellsOf(r)
		slices.SortStableFunc(cells, func(a, b cell) int { return strings.Compare(b.wants, a.wants) }) // "+" sorts last
		for _, c := range cells {
			client := clients[c.who]
			if client == nil || r.op == "logOut" {
				client = w.as(c.who)
				if r.op != "logOut" {
					clients[c.who] = client
				}
			}
			if r.op == "logIn" {
				client = w.as("") // keeps its session
			}
			w.check(client, paths[r.op], r, c)
		}
	}
}

// check makes the request of a cell.
func (w *matrixWorld) check(client *http.Client, o operation, r row, c cell) {
	w.t.Helper()
	id := w.thing(r.id)
	path := strings.NewReplacer("{id}", id, "{name}", id, "{no}", "1", "{capture}", id, "{address}", "weg@alpha.example", "{seq}", "1",
		"{day}", w.things["day"], "{picture}", w.things["picture"]).Replace(o.path)
	if strings.Contains(path, "{session}") { // it is made for this cell
		session := w.thing("session of the managed")
		path = strings.ReplaceAll(path, "{session}", session)
	}
	if r.query != "" {
		path += "?" + r.query
	}
	send := r.body
	if send == "" {
		send = body(o, id)
	}
	want := map[string]int{"+": r.ok, "u": http.StatusUnauthorized, "f": http.StatusForbidden, "n": http.StatusNotFound, "w": http.StatusUnprocessableEntity, "s": http.StatusForbidden}[c.wants]
	if a := w.ask(client, o.method, path, send); a.status != want {
		w.t.Errorf("%s as %q: want %d, got %s", r.op, c.who, want, a)
	}
}

// cellsOf lists the requests of a row.
func cellsOf(r row) (cells []cell) {
	for i, role := range ownRoles() {
		who := ""
		if role != "" {
			who = "alpha-" + string(role)
		}
		cells = append(cells, cell{who, strings.Fields(r.own)[i]})
	}
	for i, role := range foreignRoles() {
		cells = append(cells, cell{"beta-" + string(role), strings.Fields(r.foreign)[i]})
	}
	return cells
}
