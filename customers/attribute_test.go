package customers

import (
	"testing"

	"aldine/internal/fault"
)

// An attribute is born open or closed to readers, and can be changed.
func TestPrivateAttribute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, a := range []Attribute{{Name: "income", Type: Money, Private: true}, {Name: "shoe_size", Type: Number}} {
		_, err := b.DefineAttribute(b.ctx, a)
		b.ok(err)
	}
	private := func() map[string]bool {
		all, err := b.Attributes(b.ctx)
		b.ok(err)
		found := map[string]bool{}
		for _, a := range all {
			found[a.Name] = a.Private
		}
		return found
	}
	if got := private(); !got["income"] || got["shoe_size"] {
		t.Errorf("defined: %v", got)
	}
	for name, private := range map[string]bool{"income": false, "shoe_size": true} {
		a, err := b.SetAttributePrivate(b.ctx, name, private)
		b.ok(err)
		if a.Name != name || a.Private != private {
			t.Errorf("%+v", a)
		}
	}
	if got := private(); got["income"] || !got["shoe_size"] {
		t.Errorf("changed: %v", got)
	}
	if _, err := b.SetAttributePrivate(b.ctx, "hat_size", true); !fault.Is(err, fault.NotFound) {
		t.Errorf("one that is not there: %v", err)
	}
	if _, err := b.DefineAttribute(b.ctx, Attribute{Name: "household", Type: Text}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a name that expressions use: %v", err)
	}
}
