// Package migrations holds the schema as numbered SQL files and brings a database up to date.
//
// Files are named 00001_what.sql and open with `-- +goose Up`. One file runs in one transaction, unless it
// says `-- +goose NO TRANSACTION` (needed for CREATE INDEX CONCURRENTLY). A released file is never edited;
// each must work with the program before and after it, so that nodes can be replaced one by one. There are
// no down migrations: a step back is a new step forward.
//
// The queue's own tables come first, from River's migrations, so that ours may refer to them.
package migrations
