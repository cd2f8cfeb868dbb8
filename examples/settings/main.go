// Settings is a page on which users link their mailboxes, see how each does,
// who can mend what is wrong and what they should do, and let colleagues send
// from them. It is written from linking's Status, Check, History, Diagnose and
// delegation calls, and takes no text of theirs apart.
//
// It runs against a fake Google and a fake Microsoft, with no credentials, and
// has buttons that make things go wrong:
//
//	go run ./examples/settings
//
// Then open the address that it prints. Whoever opens it is signed in as
// Maria; the menu at the top signs in as somebody else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen; a loopback address")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr); err != nil {
		fmt.Fprintln(os.Stderr, "settings:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr string) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	w, err := newWorld("http://" + l.Addr().String())
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer w.close()
	srv := &http.Server{Handler: w.site(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	fmt.Println("The settings are at", w.base)
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
