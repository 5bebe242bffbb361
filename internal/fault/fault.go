// Package fault gives errors their kind where they arise, so that the two edges of the program (REST and pages) can
// answer rightly without knowing what went wrong inside. An error without a kind is a defect: it is logged once and
// the user sees only that something failed.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what sort of answer an error deserves.
type Kind int

// The kinds, from "we failed" to the caller's own mistakes.
const (
	Internal        Kind = iota // not the caller's doing; details stay in the log
	Invalid                     // the input is wrong; Fields say where
	NotFound                    // the thing does not exist, or not for this caller
	Conflict                    // the thing is not in a state that allows this
	Forbidden                   // the caller is known but may not
	Unauthenticated             // the caller is not known
	Unavailable                 // try again later: a queue is full, a disk or gateway is not there
)

// Field is one fault of one input field. Name is the field's path in the input ("journey.steps[2].template");
// Line and Column are 1-based and 0 when they do not apply; Length counts the characters there that are meant. Segment names the saved
// segment in which the fault is to be corrected, where that is not the input itself.
type Field struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Length  int    `json:"length,omitempty"`
	Segment string `json:"segment,omitempty"`
}

// Error is an error with a kind and a message that may be shown to the user.
type Error struct {
	Kind    Kind
	Message string
	Fields  []Field
	Err     error
}

// Error gives the message, the faulty fields, and the cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	for i, f := range e.Fields {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString("; ")
		}
		if f.Name != "" {
			b.WriteString(f.Name + ": ")
		}
		b.WriteString(f.Message)
		if f.Line > 0 {
			fmt.Fprintf(&b, " (line %d", f.Line)
			if f.Column > 0 {
				fmt.Fprintf(&b, ", column %d", f.Column)
			}
			b.WriteString(")")
		}
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes an error of a kind with a formatted message.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap gives cause a kind and a message for the user; the cause itself goes only to the log.
func Wrap(kind Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Err: cause}
}

// Bad is an Invalid error with its fields.
func Bad(message string, fields ...Field) *Error {
	return &Error{Kind: Invalid, Message: message, Fields: fields}
}

// BadField is an Invalid error of a single field.
func BadField(name, format string, args ...any) *Error {
	m := fmt.Sprintf(format, args...)
	return &Error{Kind: Invalid, Message: "The input is not valid", Fields: []Field{{Name: name, Message: m}}}
}

// KindOf tells an error's kind; Internal where it has none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is tells whether err has the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
