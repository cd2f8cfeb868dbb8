//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// owner gives the directory to whom the server runs as: the one who tests,
// or, as the server refuses root, another user in its place.
func owner(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			return nil, err
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, fmt.Errorf("there is no user postgres or nobody to run the server as, and it refuses root")
}

// watched runs a server until it ends, or the input does, and removes the
// directory it is given first. The shell gives background commands no input,
// hence the descriptor of its own.
const watched = `exec 3<&0
"$@" 3<&- & server=$!
{ read gone <&3; kill -INT $server; } & watch=$!
wait $server
kill $watch
rm -rf "$0"`

// run starts the server so that it goes, and its files with it, when the
// test's process does, however that ends.
func (c *Cluster) run(programs, data string, attr *syscall.SysProcAttr) error {
	log, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	c.log = log
	settings := []string{"listen_addresses=", "port=5432", "unix_socket_directories=" + c.dir, "max_connections=200", "timezone=Pacific/Auckland", "log_min_messages=warning"}
	if !c.cfg.Durable {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	args := []string{"-c", watched, c.dir, filepath.Join(programs, "postgres"), "-D", data}
	for _, s := range append(settings, c.cfg.Settings...) {
		args = append(args, "-c", s)
	}
	cmd := exec.Command("sh", args...)
	cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = c.dir, attr, log, log
	hold, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	c.hold = hold
	go func() { c.done <- cmd.Wait() }()
	return nil
}
