package main

import (
	"fmt"
	"io"
	"runtime/debug"
	"time"
)

// report is what came out. It holds no address, no id and no text of a mail.
type report struct {
	service string
	began   time.Time
	seen    []finding
}

// finding is one thing that is believed and what it turned out to be.
type finding struct{ name, value, note string }

func (r *report) see(name, value, note string) {
	r.seen = append(r.seen, finding{name, value, note})
}

// value returns what was found under a name.
func (r *report) value(name string) string {
	for _, f := range r.seen {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

func (r *report) print(out io.Writer) {
	fmt.Fprintf(out, "\nPaste this into an issue titled %q:\n\n", "Probe of "+r.service)
	fmt.Fprintf(out, "service: %s\ndate: %s\n", r.service, r.began.UTC().Format(time.DateOnly))
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintf(out, "version: %s, %s\n", info.Main.Version, info.GoVersion)
	}
	fmt.Fprintf(out, "\n| belief | value | seen |\n| --- | --- | --- |\n")
	for _, f := range r.seen {
		fmt.Fprintf(out, "| %s | %s | %s |\n", f.name, f.value, f.note)
	}
}
