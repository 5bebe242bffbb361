package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"

	"aldine/internal/access"
	"aldine/internal/fault"
)

const (
	keyKept    = 24 * time.Hour
	keyStale   = 10 * time.Minute // a first request that has not ended by then died with its process
	maxKey     = 255
	sweepEvery = 500 // new keys between two sweeps of old ones
)

var keysUsed atomic.Int64

// idempotent does a write that carries an Idempotency-Key once. The key is taken before the work begins, its
// successful answer is stored when it is done and given again to the same request; a refused or failed request
// changes nothing, so its key is free again.
func (a *API) idempotent(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		key := r.Header.Get("Idempotency-Key")
		need, known := a.needs[r.Method+" "+c.Path()]
		if key == "" || !writes(r.Method) || !known {
			return next(c)
		}
		if len(key) > maxKey {
			return fault.BadField("Idempotency-Key", "A key has at most %d characters", maxKey)
		}
		// Before the body is read, which may be a large file.
		if err := access.Require(r.Context(), need); err != nil {
			return err
		}
		hash, done, err := a.fingerprint(c)
		if err != nil {
			return err
		}
		defer done()
		ctx := r.Context()
		k := idempotencyKey{actor: fmt.Sprintf("token:%d", access.From(ctx).TokenID), key: key, hash: hash}
		stored, err := a.take(ctx, k)
		if errors.Is(err, errBusy) {
			c.Response().Header().Set(echo.HeaderRetryAfter, "1")
		}
		if err != nil {
			return err
		}
		if stored != nil {
			c.Response().Header().Set("Idempotency-Replayed", "true")
			if len(stored.body) == 0 {
				return c.NoContent(stored.status)
			}
			return c.Blob(stored.status, stored.contentType, stored.body)
		}
		return a.once(c, k, next)
	}
}

type idempotencyKey struct {
	actor, key string
	hash       []byte
}

type answer struct {
	status      int
	contentType string
	body        []byte
}

// fingerprint hashes method, address and body, and leaves the body to be read once more. A large body goes through a
// temporary file, which done removes.
func (a *API) fingerprint(c echo.Context) (hash []byte, done func(), err error) {
	r := c.Request()
	h := sha256.New()
	_, _ = io.WriteString(h, r.Method+" "+r.URL.RequestURI()+"\n") // a hash never fails
	if !streams(c) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, nil, err
		}
		h.Write(body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		return h.Sum(nil), func() {}, nil
	}
	f, err := os.CreateTemp("", "aldine-upload-*")
	if err != nil {
		return nil, nil, err
	}
	done = func() {
		_ = f.Close()           // only read from since
		_ = os.Remove(f.Name()) // the system clears its temporary folder too
	}
	if _, err = io.Copy(io.MultiWriter(f, h), http.MaxBytesReader(c.Response(), r.Body, a.MaxImport)); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	r.Body = io.NopCloser(f)
	return h.Sum(nil), done, nil
}

// take claims the key, or gives the answer stored for it. Conflict: the first request is still under way; Invalid:
// the key belongs to another request.
func (a *API) take(ctx context.Context, k idempotencyKey) (*answer, error) {
	now := a.Now()
	if keysUsed.Add(1)%sweepEvery == 1 {
		if _, err := a.Pool.Exec(ctx, `DELETE FROM idempotency_keys WHERE created_at < @before`,
			pgx.NamedArgs{"before": now.Add(-keyKept)}); err != nil {
			return nil, err
		}
	}
	args := pgx.NamedArgs{"actor": k.actor, "key": k.key, "hash": k.hash, "now": now, "old": now.Add(-keyKept), "stale": now.Add(-keyStale)}
	tag, err := a.Pool.Exec(ctx, `
		INSERT INTO idempotency_keys AS k (actor, key, request_hash, created_at) VALUES (@actor, @key, @hash, @now)
		ON CONFLICT (actor, key) DO UPDATE SET request_hash = excluded.request_hash, created_at = excluded.created_at,
			status = NULL, content_type = NULL, body = NULL
		WHERE k.created_at < @old OR k.status IS NULL AND k.created_at < @stale AND k.request_hash = excluded.request_hash`, args)
	if err != nil || tag.RowsAffected() == 1 {
		return nil, err
	}
	var same bool
	var status *int
	var s answer
	err = a.Pool.QueryRow(ctx, `
		SELECT request_hash = @hash, status, coalesce(content_type, ''), body FROM idempotency_keys
		WHERE actor = @actor AND key = @key`, args).Scan(&same, &status, &s.contentType, &s.body)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, errBusy // the first one has just failed: trying again will do
	case err != nil:
		return nil, err
	case !same:
		return nil, fault.BadField("Idempotency-Key", "This key was used for another request: take a new one")
	case status == nil:
		return nil, errBusy
	}
	s.status = *status
	return &s, nil
}

var errBusy = fault.New(fault.Conflict, "The same request is still under way: try again in a moment")

// once runs the request with its answer held back until it is stored.
func (a *API) once(c echo.Context, k idempotencyKey, next echo.HandlerFunc) error {
	real := c.Response().Writer
	held := &holder{header: real.Header()}
	c.Response().Writer = held
	err := next(c)
	c.Response().Writer = real

	// The client may have gone, but what was done must be remembered, or the key freed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), 10*time.Second)
	defer cancel()
	args := pgx.NamedArgs{"actor": k.actor, "key": k.key, "status": held.status, "type": real.Header().Get(echo.HeaderContentType), "body": held.body.Bytes()}
	if err == nil && held.status >= 200 && held.status < 300 {
		if info := infoOf(c.Request().Context()); info != nil && info.secret {
			args["status"], args["type"], args["body"] = http.StatusConflict, "application/problem+json", []byte(
				`{"type":"about:blank","title":"Conflict","status":409,"detail":"This was done already, and its secret is shown only once"}`)
		}
		_, serr := a.Pool.Exec(ctx, `UPDATE idempotency_keys SET status = @status, content_type = @type, body = @body
			WHERE actor = @actor AND key = @key`, args)
		if serr != nil {
			a.Log.ErrorContext(ctx, "answer of an idempotent request was not stored", "error", serr)
		}
	} else if _, derr := a.Pool.Exec(ctx, `DELETE FROM idempotency_keys WHERE actor = @actor AND key = @key AND status IS NULL`, args); derr != nil {
		a.Log.ErrorContext(ctx, "key of a failed request was not freed", "error", derr)
	}
	if err != nil || held.status == 0 {
		return err
	}
	real.WriteHeader(held.status)
	_, err = real.Write(held.body.Bytes())
	return err
}

// holder keeps an answer back. Headers go to the real one at once; they are sent with it.
type holder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header gives the headers of the real answer.
func (h *holder) Header() http.Header { return h.header }

// WriteHeader keeps the status.
func (h *holder) WriteHeader(status int) { h.status = status }

// Write keeps the body.
func (h *holder) Write(b []byte) (int, error) {
	if h.status == 0 {
		h.status = http.StatusOK
	}
	return h.body.Write(b)
}
