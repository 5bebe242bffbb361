// Package dnstest is a small name server for tests: it answers from a map and knows nothing else.
package dnstest
