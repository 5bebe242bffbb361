package api

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// moment is a time, or a day alone, which stands for its midnight (UTC).
type moment struct{ time.Time }

// UnmarshalJSON reads either form.
func (m *moment) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			m.Time = t
			return nil
		}
	}
	return fmt.Errorf("parsing time %q", text)
}

// Schema describes both forms.
func (moment) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Description: "A time, or a day alone.", Examples: []any{"2026-01-31T09:00:00Z", "2026-01-31"}}
}
