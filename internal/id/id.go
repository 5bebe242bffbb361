// Package id makes keys of event rows in the program, so that rows can be written in sets on any node.
package id

import "github.com/google/uuid"

// New gives a version 7 UUID: unique, and roughly ordered by time, which keeps indexes compact.
func New() uuid.UUID { return uuid.Must(uuid.NewV7()) }
