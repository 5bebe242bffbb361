package segments

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// processors tells what a server has spent for a session so far: the session's own process, and the server's children that are
// gone, its helpers among them. Unlike time it does not grow with what else the machine does.
func processors(b testing.TB, ctx context.Context, tx pgx.Tx) time.Duration {
	var backend, postmaster int
	var folder string
	if err := tx.QueryRow(ctx, `SELECT pg_backend_pid(), current_setting('data_directory')`).Scan(&backend, &folder); err != nil {
		b.Fatal(err)
	}
	lock, err := os.ReadFile(folder + "/postmaster.pid")
	if err != nil {
		b.Fatal(err)
	}
	if postmaster, err = strconv.Atoi(strings.SplitN(string(lock), "\n", 2)[0]); err != nil {
		b.Fatal(err)
	}
	own, _ := ticks(b, backend)
	_, children := ticks(b, postmaster)
	return time.Duration(own+children) * 10 * time.Millisecond
}

// ticks gives the hundredths of a second of a process, and of its children that are gone.
func ticks(b testing.TB, pid int) (own, children int) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	number := func(i int) int {
		n, err := strconv.Atoi(fields[i])
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	return number(11) + number(12), number(13) + number(14)
}

// processorsAll is the same for all sessions together.
func processorsAll(b testing.TB, ctx context.Context, tx pgx.Tx) time.Duration {
	rows, err := tx.Query(ctx, `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'`)
	if err != nil {
		b.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		b.Fatal(err)
	}
	var sum time.Duration
	for _, pid := range pids {
		own, _ := ticks(b, pid)
		sum += time.Duration(own) * 10 * time.Millisecond
	}
	return sum
}
