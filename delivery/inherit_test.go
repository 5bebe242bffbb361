package delivery_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// An address of which a killed process had heard that it does not exist is suppressed by whoever takes over.
func TestHardRefusalOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(4)...)
	w.plan(s, 0, everybody)
	job := w.id(`SELECT id FROM river_job WHERE kind = 'delivery_send'`, nil)
	w.exec(`UPDATE touches SET state = 'sending', attempt = 1, provider_ref = 'job:' || @job::bigint || ':1'`, pgx.NamedArgs{"job": job})
	w.exec(`UPDATE river_job SET attempt = 1 WHERE id = @job`, pgx.NamedArgs{"job": job})
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	w.must(err)
	journal := []byte(strings.TrimSpace(string(boot)) + "\n")
	for i, fates := range []string{"BH", "BF", "BS"} {
		for _, f := range fates {
			journal = binary.BigEndian.AppendUint64(append(journal, byte(f)), uint64(ids[i]))
		}
	}
	path := filepath.Join(w.config.DataDir, "handover", fmt.Sprintf("job-%d-1", job))
	w.must(os.MkdirAll(filepath.Dir(path), 0o700))
	w.must(os.WriteFile(path, journal, 0o600))
	w.work(w.delivery)
	w.want("touches", w.counts(s), "failed:2 sent:2")
	w.want("suppressed", w.text(`SELECT string_agg(match_key || ' ' || reason, ', ') FROM suppressions`, nil),
		"p0@x.example hard bounce: the address does not exist; the program stopped before it had written down what the mail server said")
}
