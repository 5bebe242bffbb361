package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

func TestPanicsBecomeErrors(t *testing.T) {
	t.Parallel()
	err := caught(func(echo.Context) error { panic("no such row") }, nil)
	if err == nil || !strings.Contains(err.Error(), "no such row") || !strings.Contains(err.Error(), "limits_test.go") {
		t.Fatalf("got %v", err)
	}
	if page := describe(err); page.Status != http.StatusInternalServerError || strings.Contains(page.Message, "row") {
		t.Errorf("the reader is told %q", page.Message)
	}
	defer func() {
		if r, _ := recover().(error); !errors.Is(r, http.ErrAbortHandler) {
			t.Errorf("an answer broken off on purpose became %v", r)
		}
	}()
	_ = caught(func(echo.Context) error { panic(http.ErrAbortHandler) }, nil)
}
