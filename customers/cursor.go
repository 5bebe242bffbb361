package customers

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"aldine/internal/access"
	"aldine/internal/fault"
)

// errCursor answers a page mark that this package did not make.
var errCursor = fault.BadField("cursor", "this page mark is not valid; start from the first page")

// encodeCursor makes an opaque page mark of the last row's time (microseconds, as stored) and key.
func encodeCursor(at time.Time, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(at.UnixMicro(), 10) + "|" + key))
}

func decodeCursor(cursor string) (time.Time, string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return time.Time{}, "", errCursor
	}
	at, key, ok := strings.Cut(string(raw), "|")
	micro, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || strings.ContainsRune(key, 0) {
		return time.Time{}, "", errCursor
	}
	return time.UnixMicro(micro).UTC(), key, nil
}

func actor(ctx context.Context) string { return access.From(ctx).String() }
