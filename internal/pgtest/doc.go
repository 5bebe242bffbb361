// Package pgtest gives every test a database of its own, with the whole schema, in about 20 ms.
//
//	func TestSomething(t *testing.T) {
//		t.Parallel()
//		pool := pgtest.New(t)
//		...
//	}
//
// All test processes of a user share one PostgreSQL in memory (/dev/shm), which the first one starts. A
// template database per state of the migrations is made once and cloned for each test; the clone is
// dropped when the test ends. Databases that a crashed test left are dropped by the next process.
//
// The server stays up between runs, so that the next run is quick. `make test` ends with
//
//	go run ./internal/pgtest/cmd/stop
//
// which stops it unless another test process is using it.
package pgtest
