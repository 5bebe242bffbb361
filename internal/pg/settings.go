package pg

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

const mib = 1 << 20

// settings is the text of aldine.conf: durable, and sized for the host it runs on, which it may share
// with Aldine itself.
func settings(socketDir string, opts Options) string {
	ram, cores := memory(), runtime.NumCPU()
	maxConns := opts.MaxConnections
	if maxConns == 0 {
		maxConns = 100
	}
	durable, wal, buffers := "on", "4GB", int64(512)
	if opts.Volatile {
		durable, wal, buffers = "off", "256MB", 128
	}
	var b strings.Builder
	b.WriteString("# Written by aldine at every start. Put settings of your own below the include line of postgresql.conf.\n")
	set := func(name, value string) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''"))
	}
	megabytes := func(name string, limit, share int64) {
		set(name, strconv.FormatInt(max(1, min(limit, ram/share/mib)), 10)+"MB")
	}
	set("listen_addresses", "")
	set("port", strconv.Itoa(port))
	set("unix_socket_directories", socketDir)
	set("unix_socket_permissions", "0700")
	set("max_connections", strconv.Itoa(maxConns))

	set("fsync", durable)
	set("synchronous_commit", durable)
	set("full_page_writes", durable)
	set("wal_compression", "on")
	set("max_wal_size", wal)
	set("checkpoint_timeout", "15min")

	megabytes("shared_buffers", buffers, 4)
	megabytes("work_mem", 32, 64)
	megabytes("maintenance_work_mem", 256, 16)
	megabytes("effective_cache_size", 1<<20, 2)
	set("random_page_cost", "1.1")
	// Plans follow what bulk work has just written within seconds, not minutes.
	set("autovacuum_naptime", "10s")
	set("autovacuum_analyze_scale_factor", "0.05")
	set("autovacuum_vacuum_scale_factor", "0.1")
	set("autovacuum_vacuum_insert_scale_factor", "0.1")
	set("jit", "off") // compiling costs more than it saves on sets of a few million rows
	set("max_worker_processes", strconv.Itoa(max(8, cores)))
	set("max_parallel_workers", strconv.Itoa(cores))
	set("max_parallel_workers_per_gather", strconv.Itoa(max(1, min(4, cores/2))))
	if smallSharedMemory() {
		set("dynamic_shared_memory_type", "mmap")
	}

	set("timezone", "UTC")
	set("log_timezone", "UTC")
	set("log_line_prefix", "%m [%p] ")
	// Customers' data does not belong in a log: neither parameters nor the details of an error, which quote rows.
	set("log_error_verbosity", "terse")
	set("log_parameter_max_length", "0")
	set("log_parameter_max_length_on_error", "0")
	return b.String()
}

// memory is what this process may use: the host's memory or its container's limit, in bytes.
func memory() int64 {
	ram := int64(4 << 30)
	if f, err := os.Open("/proc/meminfo"); err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			if rest, ok := strings.CutPrefix(s.Text(), "MemTotal:"); ok {
				if kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64); err == nil {
					ram = kb << 10
				}
				break
			}
		}
	}
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if b, err := os.ReadFile(path); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && n > 0 {
				ram = min(ram, n)
			}
		}
	}
	return ram
}

// smallSharedMemory reports a /dev/shm too small for parallel queries, as containers often have it.
func smallSharedMemory() bool {
	var st syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &st); err != nil {
		return false
	}
	return st.Blocks*uint64(st.Bsize) < 512*mib
}
