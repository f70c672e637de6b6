package graph

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	maxUsers   = 1_000_000
	maxFolders = 50_000 // of one mailbox
	maxDepth   = 100
	maxID      = 1024 // bytes
)

// User is somebody with an address.
type User struct {
	ID   string `json:"id"`
	Mail string `json:"mail"`
	Name string `json:"displayName"`
}

// Mailboxes lists everybody in the directory who has an address. Not all of them
// need have a mailbox.
func Mailboxes(ctx context.Context, cfg Config) ([]User, error) {
	cfg.DryRun = true
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	return c.users(ctx)
}

func (c *client) users(ctx context.Context) ([]User, error) {
	q := url.Values{"$select": {"id,mail,displayName"}, "$top": {"999"}}
	var out []User
	seen := map[string]bool{}
	err := each(ctx, c, c.at(q.Encode(), "users"), func(page []User) error {
		for _, u := range page {
			if u.ID == "" || len(u.ID) > maxID || u.Mail == "" || len(u.Mail) > 320 || seen[u.ID] {
				continue
			}
			seen[u.ID] = true
			out = append(out, u)
		}
		if len(out) > maxUsers {
			return fmt.Errorf("%w: more than %d users", errNonsense, maxUsers)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list mailboxes: %w", err)
	}
	return out, nil
}

// mailFolder is a folder of a mailbox.
type mailFolder struct {
	ID       string `json:"id"`
	Name     string `json:"displayName"`
	Children int    `json:"childFolderCount"`
	Total    int64  `json:"totalItemCount"`
	Type     string `json:"@odata.type"`
	path     []string
	left     string // why it is left out; empty: it is not
}

// shown is the path as people read it.
func (f *mailFolder) shown() string { return strings.Join(f.path, "/") }

// escaped is the path as part of an origin.
func (f *mailFolder) escaped() string {
	out := make([]string, len(f.path))
	for i, p := range f.path {
		out[i] = url.PathEscape(p)
	}
	return strings.Join(out, "/")
}

// unwanted finds the ids of folders that are left out with all that is below them.
func (c *client) unwanted(ctx context.Context, user string) (map[string]string, error) {
	out := map[string]string{}
	for _, w := range []struct {
		name, why string
		wanted    bool
	}{{"drafts", "drafts", c.cfg.Drafts}, {"junkemail", "spam", c.cfg.Spam}, {"deleteditems", "trash", c.cfg.Trash}} {
		if w.wanted {
			continue
		}
		var f mailFolder
		err := c.fetch(ctx, c.at("$select=id", "users", user, "mailFolders", w.name), &f)
		if gone(err) && !isMailbox(err) {
			continue // this mailbox has none
		}
		if err != nil {
			return nil, err
		}
		out[f.ID] = w.why
	}
	return out, nil
}

// isMailbox reports whether err is about the whole mailbox.
func isMailbox(err error) bool {
	e, ok := asError(err)
	return ok && e.Code != ""
}

// tree lists all folders of a mailbox, hidden ones too. Search folders, which only
// show messages of others, are none.
func (c *client) tree(ctx context.Context, user string) ([]*mailFolder, error) {
	unwanted, err := c.unwanted(ctx, user)
	if err != nil {
		return nil, err
	}
	t := &tree{c: c, user: user, unwanted: unwanted, seen: map[string]bool{}}
	if err := t.below(ctx, nil); err != nil {
		return nil, err
	}
	return t.out, nil
}

type tree struct {
	c        *client
	user     string
	unwanted map[string]string
	seen     map[string]bool
	out      []*mailFolder
}

func (t *tree) below(ctx context.Context, parent *mailFolder) error {
	q := url.Values{"$select": {"id,displayName,childFolderCount,totalItemCount"}, "$top": {"250"}, "includeHiddenFolders": {"true"}}
	address := t.c.at(q.Encode(), "users", t.user, "mailFolders")
	var path []string
	left := ""
	if parent != nil {
		address = t.c.at(q.Encode(), "users", t.user, "mailFolders", parent.ID, "childFolders")
		path, left = parent.path, parent.left
	}
	if len(path) > maxDepth {
		return fmt.Errorf("%w: folders more than %d deep", errNonsense, maxDepth)
	}
	var mine []*mailFolder
	err := each(ctx, t.c, address, func(page []mailFolder) error {
		for _, f := range page {
			if f.ID == "" || len(f.ID) > maxID || len(f.Name) > maxID || t.seen[f.ID] || strings.HasSuffix(f.Type, "mailSearchFolder") {
				continue
			}
			t.seen[f.ID] = true
			if f.left = left; left == "" {
				f.left = t.unwanted[f.ID]
			}
			f.path = append(append([]string{}, path...), f.Name)
			mine = append(mine, &f)
		}
		if len(t.seen) > maxFolders {
			return fmt.Errorf("%w: more than %d folders", errNonsense, maxFolders)
		}
		return nil
	})
	if gone(err) && parent != nil { // deleted meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range mine {
		t.out = append(t.out, f)
		if f.Children > 0 {
			if err := t.below(ctx, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// entry is a message as a folder lists it.
type entry struct {
	ID       string     `json:"id"`
	Received *time.Time `json:"receivedDateTime"`
	Read     *bool      `json:"isRead"`
	Flag     *struct {
		Status string `json:"flagStatus"`
	} `json:"flag"`
}

// messages lists a folder, the oldest first: what comes meanwhile is at the end.
func (c *client) messages(ctx context.Context, user, folder string, do func(entry) error) error {
	q := url.Values{"$select": {"id,receivedDateTime,isRead,flag"}, "$top": {"500"}, "$orderby": {"receivedDateTime asc"}}
	return each(ctx, c, c.at(q.Encode(), "users", user, "mailFolders", folder, "messages"), func(page []entry) error {
		for _, e := range page {
			if e.ID == "" || len(e.ID) > maxID {
				return fmt.Errorf("%w: a message without an id", errNonsense)
			}
			if err := do(e); err != nil {
				return err
			}
		}
		return nil
	})
}
