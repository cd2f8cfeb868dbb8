//go:build !unix

package pgtest

import "syscall"

func owner(string) (*syscall.SysProcAttr, error) { return nil, ErrMissing }

func (c *Cluster) run(string, string, *syscall.SysProcAttr) error { return ErrMissing }
