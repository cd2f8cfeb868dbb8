package msgraphtest_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/msgraph/msgraphtest"
)

// TestConcurrency: Graph serves an app four requests of a mailbox at a time.
func TestConcurrency(t *testing.T) {
	for _, unlimited := range []bool{false, true} {
		w := newGraphWorld(t, true, msgraphtest.Config{Unlimited: unlimited})
		omars := w.token(omar, "Mail.Read")
		entered, leave := make(chan struct{}), make(chan struct{})
		w.ms.Inject(msgraphtest.Rule{Op: "messages.list", Mailbox: maria, Fault: msgraphtest.Call, Times: 4, Call: func() {
			entered <- struct{}{}
			<-leave
		}})
		var served sync.WaitGroup
		for range 4 {
			served.Go(func() {
				if a := w.do(http.MethodGet, "/me/messages", ""); a.status != http.StatusOK {
					t.Errorf("one of four was answered with %d", a.status)
				}
			})
		}
		for range 4 {
			<-entered
		}
		if unlimited {
			w.get("/me/messages")
		} else {
			a := w.refuses("/me/messages", http.StatusTooManyRequests, "ApplicationThrottled")
			if a.header.Get("Retry-After") != "1" || a.at("error", "message") != "Application is over its MailboxConcurrency limit." {
				t.Errorf("answered with %v %s", a.header, a.body)
			}
			_, err := w.me().Messages().Get(t.Context(), nil)
			odata(t, err, http.StatusTooManyRequests, "ApplicationThrottled")
		}
		w.get("/me/messages", "Authorization", "Bearer "+omars) // the limit is a mailbox's
		close(leave)
		served.Wait()
		w.get("/me/messages")
	}
}

// TestRequestLimit: 10,000 requests in ten minutes of the office's clock.
func TestRequestLimit(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{Check: func(msgraphtest.Exchange) {}})
	ask := func(n int) {
		for range n {
			w.get("/me/mailFolders/inbox?$select=id")
		}
	}
	ask(4000)
	w.clock.Advance(4 * time.Minute)
	ask(6000)
	a := w.refuses("/me/messages", http.StatusTooManyRequests, "ApplicationThrottled")
	if a.header.Get("Retry-After") != "360" {
		t.Errorf("Retry-After is %s", a.header.Get("Retry-After"))
	}
	w.get("/me/messages", "Authorization", "Bearer "+w.token(omar, "Mail.Read"))
	w.clock.Advance(6*time.Minute - time.Second)
	if a = w.refuses("/me/messages", http.StatusTooManyRequests, "ApplicationThrottled"); a.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %s", a.header.Get("Retry-After"))
	}
	w.clock.Advance(time.Second)
	ask(4000)
	w.refuses("/me/messages", http.StatusTooManyRequests, "ApplicationThrottled")
}
