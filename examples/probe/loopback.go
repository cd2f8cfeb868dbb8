package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// begin starts a flow whose callback will come to redirectURL, and returns
// the address of the consent page.
type begin func(redirectURL string) (page string, err error)

// callback is what came back, and where.
type callback struct {
	query       url.Values
	redirectURL string
}

// browse has a person consent in a browser and receives the redirect on the
// loopback (RFC 8252 section 7.3). Nothing but the one path is answered.
func browse(ctx context.Context, redirect string, begin begin, out io.Writer) (callback, error) {
	u, err := url.Parse(redirect)
	if err != nil || u.Scheme != "http" || u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost" {
		return callback{}, fmt.Errorf("-redirect is %q; it must be http at 127.0.0.1 or localhost", redirect)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return callback{}, fmt.Errorf("listen for the redirect: %w", err)
	}
	if port == "0" {
		_, port, err = net.SplitHostPort(l.Addr().String())
		if err != nil {
			return callback{}, err
		}
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	page, err := begin(u.String())
	if err != nil {
		return callback{}, errors.Join(err, l.Close())
	}
	came := make(chan url.Values, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+u.Path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Referrer-Policy", "no-referrer")
		select {
		case came <- r.URL.Query():
			fmt.Fprintln(w, "Thank you. You can close this window and go back to the terminal.")
		default:
			http.Error(w, "This was answered already.", http.StatusConflict)
		}
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = srv.Shutdown(end) // lets the page be written
	}()
	fmt.Fprintf(out, "Open this address in a browser and allow what is asked:\n\n  %s\n\n", page)
	select {
	case q := <-came:
		return callback{query: q, redirectURL: u.String()}, nil
	case err := <-done:
		return callback{}, fmt.Errorf("listen for the redirect: %w", err)
	case <-ctx.Done():
		return callback{}, ctx.Err()
	}
}
