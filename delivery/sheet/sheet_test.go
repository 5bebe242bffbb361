package sheet_test

import (
	"testing"

	"aldine/delivery/sheet"
)

func TestSafe(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "Ada": "Ada", "=1+1": "'=1+1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1",
		"+4930901820": "+4930901820", "-5.20": "-5.20", "+1+cmd|' /C calc'!A0": "'+1+cmd|' /C calc'!A0", "-": "'-",
		"-2+3": "'-2+3", "a=1": "a=1", "ü": "ü",
	} {
		if got := sheet.Safe(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
