package web_test

import (
	"testing"

	"aldine/web"
)

// wire makes the services that the pages stand on.
func wire(t *testing.T, d *web.Deps) {
	t.Helper()
}
