package mergepurge

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"aldine/internal/fault"
	"aldine/internal/id"
)

// folder gives the folder of uploads and of the matcher's files.
func (s *Service) folder() (string, error) {
	dir, err := filepath.Abs(filepath.Join(s.dataDir, "merge-purge"))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "The folder for merge/purge files cannot be made")
	}
	return dir, nil
}

// keepUpload writes the body to a file of its own, safely on disk.
func (s *Service) keepUpload(body io.Reader) (path string, err error) {
	dir, err := s.folder()
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, id.New().String()+".csv")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "The upload cannot be stored")
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			_ = os.Remove(path)
		}
	}()
	if body == nil {
		body = strings.NewReader("")
	}
	if _, err := io.Copy(file, body); err != nil {
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return "", fault.Wrap(fault.Unavailable, err, "The disk is full; the upload cannot be stored")
		}
		return "", fmt.Errorf("store upload: %w", err)
	}
	return path, file.Sync()
}

// dropUpload removes a file that nobody needs any more: it holds personal data.
func (s *Service) dropUpload(path string) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.log.Warn("the upload of a merge/purge run was not removed", "path", path, "err", err)
	}
}

func (s *Service) dropUploads(run Run) {
	for _, in := range run.Inputs {
		if in.path != "" {
			s.dropUpload(in.path)
		}
	}
}

// sameFile tells whether two files of one size have the same content. A file that is gone is like no other.
func sameFile(a, b string) (bool, error) {
	one, err := os.Open(a)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer one.Close()
	two, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer two.Close()
	x, y := bufio.NewReaderSize(one, 256<<10), bufio.NewReaderSize(two, 256<<10)
	p, q := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, errOne := io.ReadFull(x, p)
		m, errTwo := io.ReadFull(y, q)
		if !bytes.Equal(p[:n], q[:m]) {
			return false, nil
		}
		if errOne != nil || errTwo != nil {
			for _, err := range []error{errOne, errTwo} {
				if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					return false, err
				}
			}
			return true, nil
		}
	}
}
