//go:build unix

package crashtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// asChild has the test's binary be a host's process.
const asChild = "OUTREACH_TEST_CRASH_CHILD"

// What the parent answers to a process that has done what was due.
const (
	sayGoOn = "go on"
	sayDone = "done"
)

var errDone = errors.New("all is over")

// childMain is a host's process: it does what is due, and then asks for time
// to go on, until the parent says that it is over. What it can't do ends it.
func childMain() error {
	var cfg hostConfig
	if err := json.Unmarshal([]byte(os.Getenv(asChild)), &cfg); err != nil {
		return err
	}
	ctx := context.Background()
	h, err := openHost(ctx, cfg)
	if err != nil {
		return err
	}
	for {
		if _, err := h.run.Tick(ctx); err != nil {
			return err
		}
		if err := h.step(); errors.Is(err, errDone) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// child is a host's process as its parent sees it.
type child struct {
	name   string
	cmd    *exec.Cmd
	stderr strings.Builder
	ended  chan error // has what Wait returned
}

// spawn starts a process.
func spawn(cfg hostConfig) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	c := &child{name: cfg.Name, cmd: exec.Command(program), ended: make(chan error, 1)}
	c.cmd.Env = append(os.Environ(), asChild+"="+string(data))
	c.cmd.Stderr = &c.stderr
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { c.ended <- c.cmd.Wait() }()
	return c, nil
}

// failure is what to say of a process that ended by itself as it should not.
func (c *child) failure(err error) error {
	return fmt.Errorf("process %s ended with %w: %s", c.name, err, c.stderr.String())
}

// killed reports whether a process that ended was killed.
func (c *child) killed() bool {
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
