package catalogtest

import (
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func testInstanceSetting(t *testing.T, e *env) {
	ctx := t.Context()
	mustBe(t, "nothing set", second(e.InstanceSetting(ctx, "site")), catalog.ErrNotFound)
	mustBe(t, "delete nothing", e.DeleteInstanceSetting(ctx, "site", instanceEvent("site.removed")), catalog.ErrNotFound)
	for _, s := range []*catalog.InstanceSetting{
		{Name: "site", Settings: []byte(`{"a":1}`), Secret: []byte{1, 2}},
		{Name: "site", Settings: []byte(`{}`)},
		{Name: "other", Settings: []byte(`{"b":"ä"}`), Secret: []byte{3}},
	} {
		must(t, e.SetInstanceSetting(ctx, s, instanceEvent("site.changed")))
		same(t, "setting", got(e.InstanceSetting(ctx, s.Name))(t), s)
	}
	must(t, e.DeleteInstanceSetting(ctx, "site", instanceEvent("site.removed")))
	mustBe(t, "removed", second(e.InstanceSetting(ctx, "site")), catalog.ErrNotFound)
	list, err := e.Events(ctx, uid.ID{}, 0, 10)
	must(t, err)
	if len(list) != 4 || list[3].Action != "site.removed" {
		t.Errorf("events: %v", list)
	}
}
