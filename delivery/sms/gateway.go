package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Message is one short message. ID is the same whenever the same touch is sent again.
type Message struct {
	ID   string `json:"id"`
	To   string `json:"to"`
	From string `json:"from"`
	Text string `json:"text"`
}

// Class says what an error means for the message.
type Class int

// The classes.
const (
	Refused   Class = iota + 1 // the gateway said no: trying again is pointless
	Transient                  // the gateway did not take it: try again later
	Unknown                    // the gateway may have taken it
)

// Error is why a message was not accepted.
type Error struct {
	Class      Class
	Reason     string        // to show
	RetryAfter time.Duration // asked for by the gateway; 0 where not
	Err        error
}

// Error gives the reason.
func (e *Error) Error() string { return e.Reason }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Gateway sends messages to one address over kept connections. It is safe for concurrent use.
type Gateway struct {
	url, token string
	client     *http.Client
}

// timeout covers one request with its answer.
const timeout = 20 * time.Second

// NewGateway gives a gateway at an http or https address; token, where not empty, is sent as bearer token.
func NewGateway(address, token string) (*Gateway, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the SMS gateway's address %q is not an http or https address", address)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 16
	return &Gateway{url: address, token: token, client: &http.Client{
		Transport: t, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Send hands one message over and gives the gateway's own name for it. Any error is an *Error.
func (g *Gateway) Send(ctx context.Context, m Message) (string, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return "", &Error{Class: Refused, Reason: "the message cannot be written as JSON", Err: err}
	}
	// Once the request may have left whole, a missing answer tells nothing about the message.
	var written atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(i httptrace.WroteRequestInfo) {
			if i.Err == nil {
				written.Store(true)
			}
		},
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return "", &Error{Class: Transient, Reason: "the request to the gateway cannot be made", Err: err}
	}
	req.GetBody = nil // no silent second try by the transport
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", m.ID)
	if g.token != "" {
		req.Header.Set("Authorization", "Bearer "+g.token)
	}
	resp, err := g.client.Do(req)
	if err != nil {
		if written.Load() {
			return "", &Error{Class: Unknown, Reason: "no answer from the gateway after the message was handed over", Err: err}
		}
		return "", &Error{Class: Transient, Reason: "the gateway cannot be reached", Err: err}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return verdict(resp, answer, err)
}

func verdict(resp *http.Response, answer []byte, readErr error) (string, error) {
	var a struct {
		MessageID string `json:"message_id"`
		Error     string `json:"error"`
		Message   string `json:"message"`
		Detail    string `json:"detail"`
	}
	decodeErr := json.Unmarshal(answer, &a)
	code := resp.StatusCode
	switch {
	case code >= 200 && code < 300:
		// The status alone is the yes; an answer that cannot be read only costs the gateway's name for it.
		if readErr == nil && decodeErr == nil {
			return a.MessageID, nil
		}
		return "", nil
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		return "", &Error{Class: Transient, Reason: fmt.Sprintf("the gateway answered %s", resp.Status), RetryAfter: retryAfter(resp)}
	case code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusNotFound || code < 400:
		// A wrong token, address or set-up is not the message's fault: it waits until somebody mends that.
		return "", &Error{Class: Transient, Reason: fmt.Sprintf("the gateway answered %s: check its address and token", resp.Status)}
	}
	reason := fmt.Sprintf("the gateway answered %s", resp.Status)
	for _, s := range []string{a.Error, a.Detail, a.Message} {
		if s != "" {
			reason += ": " + s
			break
		}
	}
	return "", &Error{Class: Refused, Reason: clip(reason), Err: errors.Join(readErr)}
}

func retryAfter(resp *http.Response) time.Duration {
	n, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || n < 0 || n > 3600 {
		return 0
	}
	return time.Duration(n) * time.Second
}

func clip(s string) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "?")
	if r := []rune(s); len(r) > 200 {
		return string(r[:200])
	}
	return s
}
