package queue_test

import (
	"encoding/json"
	"slices"
	"testing"

	"aldine/internal/queue"
)

func TestPackedIsOneString(t *testing.T) {
	t.Parallel()
	want := queue.Packed[string]{`A"1`, "B\n2", "ü"}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		t.Fatalf("%s is not one string: %v", b, err)
	}
	for _, stored := range []string{string(b), `["A\"1", "B\n2", "ü"]`} {
		var got queue.Packed[string]
		if err := json.Unmarshal([]byte(stored), &got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v", stored, got, err)
		}
	}
	var none queue.Packed[int64]
	if b, err = json.Marshal(none); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &none); err != nil || len(none) != 0 {
		t.Errorf("%s: got %v, %v", b, none, err)
	}
	if err := json.Unmarshal([]byte(`"[1, x]"`), &none); err == nil {
		t.Error("nonsense was read")
	}
}
