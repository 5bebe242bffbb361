package tracking

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"aldine/internal/fault"
)

// clickWait is how long a person who clicked waits for the click to be stored before being redirected anyhow.
const clickWait = 2 * time.Second

// NotRecorded is the header, with the value "no", of an answer to a click that was redirected although it could not be stored.
const NotRecorded = "X-Aldine-Recorded"

// Handler serves /t/c/ (click), /t/o/ (open) and /t/u/ (unsubscribe) to the world: without sign-in, without cookies.
func (s *Service) Handler() http.Handler { return http.HandlerFunc(s.route) }

// route does without a ServeMux, which would answer odd paths with a redirect of its own.
func (s *Service) route(w http.ResponseWriter, r *http.Request) {
	rest, _ := strings.CutPrefix(r.URL.Path, "/t/")
	purpose, token, _ := strings.Cut(rest, "/")
	post := r.Method == http.MethodPost
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !(post && purpose == "u") {
		w.Header().Set("Allow", "GET, HEAD")
		s.page(w, r, http.StatusMethodNotAllowed, pageData{Title: "Not allowed", Heading: "This link can only be opened"})
		return
	}
	switch {
	case purpose == "c":
		s.click(w, r, token)
	case purpose == "o":
		s.open(w, r, token)
	case purpose == "u" && post:
		s.unsubscribePost(w, r, token)
	case purpose == "u":
		s.unsubscribePage(w, r, token)
	default:
		s.problem(w, r, errForged)
	}
}

// Close takes no more hits and waits until those acknowledged are stored, or ctx ends.
func (s *Service) Close(ctx context.Context) error {
	err := s.collector.close(ctx)
	s.landing.close(ctx)
	for more := true; more && ctx.Err() == nil; { // what is left then, another process or the next start lands
		var failed error
		if more, failed = s.Land(ctx); failed != nil {
			break
		}
	}
	s.followups.close(ctx)
	return err
}

func (s *Service) click(w http.ResponseWriter, r *http.Request, text string) {
	token, err := s.signer.Verify(Click, text)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	to, err := s.target(r.Context(), token)
	if token.LinkID == 0 { // the link that no person sees
		to, err = "", nil
	}
	if token.CustomerID != 0 && !fault.Is(err, fault.NotFound) {
		ctx, cancel := context.WithTimeout(r.Context(), clickWait)
		defer cancel()
		if err := s.collector.submit(ctx, s.newHit(KindClick, token, r)); err != nil {
			s.metrics.failed.WithLabelValues(string(KindClick)).Inc()
			w.Header().Set(NotRecorded, "no")
		}
	}
	if err != nil {
		s.problem(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	if to == "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusFound)
}

// pixel is a transparent GIF of one point.
var pixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

func (s *Service) open(w http.ResponseWriter, r *http.Request, text string) {
	token, err := s.signer.Verify(Open, text)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	if token.CustomerID != 0 {
		if err := s.collector.submit(r.Context(), s.newHit(KindOpen, token, r)); err != nil {
			s.metrics.failed.WithLabelValues(string(KindOpen)).Inc()
			s.problem(w, r, fault.Wrap(fault.Unavailable, err, "Please try again in a moment."))
			return
		}
	}
	w.Header().Set("Content-Type", "image/gif")
	w.Header().Set("Cache-Control", "no-store, private")
	w.Write(pixel)
}

// problem answers with a plain page; only errors of a kind are worth more words than "failed".
func (s *Service) problem(w http.ResponseWriter, r *http.Request, err error) {
	status, message := http.StatusServiceUnavailable, "This does not work at the moment. Please try again in a few minutes."
	var f *fault.Error
	known := errors.As(err, &f)
	switch {
	case known && f.Kind == fault.NotFound:
		status, message = http.StatusNotFound, f.Message
	case known && f.Kind == fault.Unavailable:
		message = f.Message
	default:
		s.log.Error("tracked link failed", "path", r.URL.Path[:min(len(r.URL.Path), 5)], "error", err)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	s.page(w, r, status, pageData{Title: http.StatusText(status), Heading: heading(status), Text: []string{message}})
}

func heading(status int) string {
	if status == http.StatusNotFound {
		return "This link does not work"
	}
	return "Not available just now"
}
