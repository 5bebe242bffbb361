// Package pg opens connection pools and, where no database is given, runs a private PostgreSQL.
//
// A pool to any server:
//
//	pool, err := pg.Open(ctx, url)
//
// A private server in a folder, found or started, and left again:
//
//	cluster, err := pg.StartCluster(ctx, "data", pg.Options{})
//	pool, err := pg.Open(ctx, cluster.URL("aldine"))
//	...
//	pool.Close()
//	err = cluster.Stop(ctx)
//
// # The private server
//
// The folder holds everything: pgdata (the database files), run (the socket), postgres.log and two lock
// files. The server listens on a Unix socket only, in a folder that only its own user may enter; that is
// the whole of its access control, so there is no password to keep.
//
// Any number of processes may use one folder at the same time, for instance `aldine serve` and a command
// typed beside it. The first starts the server, later ones join it, and the last to leave stops it. That
// rests on two file locks, which the kernel releases however a process ends:
//
//	start.lock   held exclusively while deciding to start or to stop
//	use.lock     held shared for as long as a process uses the server
//
// The server is not a child that dies with its starter: it is detached in a session of its own, because
// others may still use it and because Ctrl-C in the starter's terminal must not reach it. Its price is
// that after `kill -9` of the last user the server stays up; the next start joins it and stops it in the
// end. After `kill -9` of the server itself the next start recovers from the write-ahead log.
//
// PostgreSQL refuses to run as root. When the caller is root, the server runs as the owner of the
// existing files, else as the user postgres, else as nobody. If that user cannot enter the folder
// (something below /root, say), the files live in /var/lib/aldine and a symbolic link named postgres
// in the folder leads there.
package pg
