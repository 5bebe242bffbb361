// Package house holds no code, only the test that keeps the import ladder: a package imports from lines
// below its own, so that every part can be read, tested and replaced without what stands above it.
package house
