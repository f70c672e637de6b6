package httpd

import (
	"encoding/json"
	"strings"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/setting"
	"github.com/muniment/muniment/internal/watch"
)

// describeFolder leaves out settings and state that cannot be read, as describeSource
// does.
func (s *Server) describeFolder(v *archive.SourceView, out *api.Source) {
	if set, err := watch.Parse(v.Settings); err == nil {
		out.Folder = &api.Folder{Directory: set.Directory, Owners: list(set.Owners), DocumentsOnly: set.DocumentsOnly, Settle: set.Settle}
	} else {
		s.cfg.Log.Error("settings of a watched folder cannot be read", "source", v.ID, "error", err)
	}
	if v.State == nil {
		return
	}
	var st watch.State
	if err := json.Unmarshal(v.State, &st); err != nil {
		s.cfg.Log.Error("state of a watched folder cannot be read", "source", v.ID, "error", err)
		return
	}
	out.FolderState = &api.FolderState{LastAt: st.LastAt, LastOKAt: st.LastOKAt, Problem: (*api.FolderProblem)(st.Problem),
		Stored: st.Stored, Known: st.Known, Failed: st.Failed, Waiting: st.Waiting}
}

// folderSettings checks the settings of a watched folder and returns them as they are
// stored.
func folderSettings(f *api.Folder) ([]byte, []api.ProblemError) {
	if f == nil {
		return nil, []api.ProblemError{{Location: "body.folder", Message: "a watched folder needs its settings"}}
	}
	set := watch.Settings{Directory: strings.Trim(strings.TrimSpace(f.Directory), "/"), DocumentsOnly: f.DocumentsOnly, Settle: f.Settle}
	var errs []api.ProblemError
	for _, o := range f.Owners {
		if o = strings.TrimSpace(o); o != "" {
			set.Owners = append(set.Owners, o)
		}
	}
	owners, err := archive.Addresses(set.Owners)
	if err != nil {
		errs = append(errs, api.ProblemError{Location: "body.folder.owners", Message: err.Error()})
	} else {
		set.Owners = owners
	}
	errs = append(errs, watchErrors(set.Check())...)
	b, err := json.Marshal(set)
	if err != nil {
		errs = append(errs, api.ProblemError{Location: "body.folder", Message: "cannot be stored"})
	}
	return b, errs
}

// watchErrors lists the mistakes of settings of a watched folder.
func watchErrors(err error) []api.ProblemError {
	return mistakesIn(err, func(e *setting.Error) api.ProblemError {
		return api.ProblemError{Location: "body.folder." + e.Field, Message: e.Text}
	})
}
