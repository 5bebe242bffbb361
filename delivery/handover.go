package delivery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A handover is the journal of one attempt of one job: which messages were about to be handed over, and which the
// provider has answered. It is a file of the process, not a table, because a mark must be safe before the message goes out and
// may cost next to nothing: what a process has written to a file is there after it was killed. So a killed process
// leaves in doubt only the messages that were just being answered, one for each connection, however many it had claimed.
//
// The file is locked while its process lives: whoever takes over a job waits until the other has let go, so that a process which was only
// slow is not overtaken. After a crash of the machine the file may lack its end; it names the machine's start, and an earlier one's marks prove
// nothing.
type handover struct {
	mu   sync.Mutex
	file *os.File

	noted []byte // not written yet
	torn  error  // a mark was written in part: none may follow, for it would be misread
}

// fate is what the journal says of a message.
type fate byte

// The fates; a message without one was not handed over.
const (
	fateBegun  fate = 'B' // in doubt
	fateSent   fate = 'S'
	fateFailed fate = 'F'
	fateHard   fate = 'H' // failed, since the address does not exist
	fateBack   fate = 'P' // not taken: it may be tried again
)

const markSize = 9 // fate and customer

func handoverPath(dir string, jobID int64, attempt int) string {
	return filepath.Join(dir, "handover", fmt.Sprintf("job-%d-%d", jobID, attempt))
}

func openHandover(dir string, jobID int64, attempt int) (*handover, error) {
	path := handoverPath(dir, jobID, attempt)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	if err := file.Truncate(0); err != nil { // only now: locked, it is ours
		return nil, errors.Join(err, file.Close())
	}
	if _, err := file.WriteString(bootID() + "\n"); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &handover{file: file}, nil
}

// mark notes one fate; that of a message about to be handed over is written down before mark returns, together with what was
// noted before it. An answer may wait that long: its connection has nothing else in doubt meanwhile. The error is that of a full
// disk or the like.
func (h *handover) mark(f fate, customerID int64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.noted = binary.BigEndian.AppendUint64(append(h.noted, byte(f)), uint64(customerID))
	if f != fateBegun {
		return nil
	}
	return h.write()
}

// flush writes down what is noted.
func (h *handover) flush() {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.write() // a message without its answer is in doubt, which is safe
}

func (h *handover) write() error {
	if h.torn != nil {
		return h.torn
	}
	if len(h.noted) == 0 {
		return nil
	}
	n, err := h.file.Write(h.noted)
	if err != nil {
		if n%markSize > 0 {
			h.torn = err
		}
		h.noted = h.noted[:0] // the mark that failed must not be found later, nor need those before it
		return err
	}
	h.noted = h.noted[:0]
	return nil
}

// close lets go; once everything is settled the journal is of no more use.
func (h *handover) close(settled bool) {
	if settled {
		_ = os.Remove(h.file.Name())
	} else {
		h.flush()
	}
	_ = h.file.Close()
}

var errAlive = errors.New("the process that has the job is still at it")

// readHandover gives what a dead process has left of an attempt; known is false where that proves nothing. The error is errAlive
// or the disk's.
func readHandover(dir string, jobID int64, attempt int) (fates map[int64]fate, known bool, err error) {
	file, err := os.Open(handoverPath(dir, jobID, attempt))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	if err := unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return nil, false, errAlive
	} else if err != nil {
		return nil, false, err
	}
	raw, err := os.ReadFile(file.Name())
	if err != nil {
		return nil, false, err
	}
	boot, marks, whole := strings.Cut(string(raw), "\n")
	if !whole || boot == "" || boot != bootID() {
		return nil, false, nil
	}
	fates = map[int64]fate{}
	for ; len(marks) >= markSize; marks = marks[markSize:] {
		fates[int64(binary.BigEndian.Uint64([]byte(marks[1:markSize])))] = fate(marks[0])
	}
	return fates, true, nil
}

func dropHandover(dir string, jobID int64, attempt int) {
	_ = os.Remove(handoverPath(dir, jobID, attempt))
}

// dropDead removes the journals of a job's earlier attempts that no process holds. Whoever took the job over has settled what
// they tell of.
func dropDead(dir string, jobID int64, attempt int) {
	paths, _ := filepath.Glob(filepath.Join(dir, "handover", fmt.Sprintf("job-%d-*", jobID)))
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil || path == handoverPath(dir, jobID, attempt) {
			continue
		}
		if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.Remove(path)
		}
		_ = file.Close()
	}
}

// sweepHandovers removes journals that no job will ask for any more: those of jobs that another machine took over, say.
func sweepHandovers(dir string, now time.Time) {
	paths, _ := filepath.Glob(filepath.Join(dir, "handover", "job-*"))
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && now.Sub(info.ModTime()) > 60*24*time.Hour {
			_ = os.Remove(path)
		}
	}
}

// bootID names the time since the machine was started; "" where the system does not tell.
var bootID = sync.OnceValue(func() string {
	raw, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
})
