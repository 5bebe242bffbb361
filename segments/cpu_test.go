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
	"github.com/jackc/pgx/v5/pgxpool"
)

// measure gives the seconds that something took, and those that the processors spent on the server for it.
func measure(b testing.TB, pool *pgxpool.Pool, do func() error) (took, spent float64) {
	b.Helper()
	before := processors(b, pool)
	start := time.Now()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	took = time.Since(start).Seconds()
	return took, (processors(b, pool) - before).Seconds()
}

// processors tells what a server has spent so far on its sessions and on those processes that are gone, helpers of queries among
// them. Other sessions should rest meanwhile.
func processors(b testing.TB, pool *pgxpool.Pool) time.Duration {
	var folder string
	if err := pool.QueryRow(context.Background(), `SELECT current_setting('data_directory')`).Scan(&folder); err != nil {
		b.Fatal(err)
	}
	rows, err := pool.Query(context.Background(), `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' ORDER BY pid`)
	if err != nil {
		b.Fatal(err)
	}
	sessions, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		b.Fatal(err)
	}
	lock, err := os.ReadFile(folder + "/postmaster.pid")
	if err != nil {
		b.Fatal(err)
	}
	postmaster, err := strconv.Atoi(strings.SplitN(string(lock), "\n", 2)[0])
	if err != nil {
		b.Fatal(err)
	}
	_, sum := ticks(b, postmaster)
	for _, pid := range sessions {
		own, _ := ticks(b, pid)
		sum += own
	}
	return time.Duration(sum) * 10 * time.Millisecond
}

// ticks gives the hundredths of a second of a process, and of its children that are gone; nothing of one that is gone itself.
func ticks(b testing.TB, pid int) (own, children int) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
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
