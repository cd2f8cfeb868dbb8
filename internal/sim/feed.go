package sim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// fate is what a change feed does with an item.
type fate int

const (
	told    fate = iota
	late         // not before its time
	dropped      // never
)

// fed is an item that a feed told of, or should have.
type fed struct {
	fate  fate
	until time.Time       // when a late one is told
	raw   json.RawMessage // what to tell then
	where string          // the feed it belongs to
	at    int64           // Gmail: the position after which it is told
	times int             // Graph: how often it was told late
	shown time.Time       // when it was told first
}

// feed is what one mailbox's change feed did so far. Both processes see the
// same.
type feed struct {
	items map[string]*fed // by the service's id
	order []string
}

// feedWire is the service with a change feed that drops, repeats and delays
// items.
type feedWire struct {
	base http.RoundTripper
	s    *service
	w    *world
}

// RoundTrip implements http.RoundTripper.
func (f *feedWire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := f.base.RoundTrip(req)
	gmail, graph := strings.HasSuffix(req.URL.Path, "/history"), strings.Contains(req.URL.Path, "/delta")
	if err != nil || resp.StatusCode != http.StatusOK || f.w.plan.Feed == 0 || !gmail && !graph {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), cut{err}))
		return resp, nil
	}
	var page map[string]json.RawMessage
	if json.Unmarshal(body, &page) == nil { // else a page for people, from a proxy
		if gmail {
			f.history(req, page)
		} else {
			f.delta(req, page)
		}
		if body, err = json.Marshal(page); err != nil {
			return nil, err
		}
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, nil
}

// cut is a body that ends too early.
type cut struct{ err error }

func (c cut) Read([]byte) (int, error) { return 0, c.err }

// history mistreats a page of Gmail's.
func (f *feedWire) history(req *http.Request, page map[string]json.RawMessage) {
	var in []json.RawMessage
	_ = json.Unmarshal(page["history"], &in)
	var out []json.RawMessage
	for _, rec := range in {
		var r struct {
			Added []struct {
				Message struct {
					ID string `json:"id"`
				} `json:"message"`
			} `json:"messagesAdded"`
		}
		if json.Unmarshal(rec, &r) != nil || len(r.Added) == 0 || f.tell(r.Added[0].Message.ID, rec, "") {
			out = append(out, rec)
		}
	}
	var latest string
	_ = json.Unmarshal(page["historyId"], &latest)
	if _, more := page["nextPageToken"]; !more {
		now := f.w.clock.Now()
		begin, _ := strconv.ParseInt(req.URL.Query().Get("startHistoryId"), 10, 64)
		end, _ := strconv.ParseInt(latest, 10, 64)
		for _, id := range f.s.feed.order {
			it := f.s.feed.items[id]
			if it.fate == late && it.at == 0 && !now.Before(it.until) && end > begin {
				it.at, it.shown = end, now
			}
			if it.at > begin || it.fate == told && end > begin && f.repeats() {
				out = append(out, renumbered(it.raw, latest))
			}
		}
	}
	page["history"], _ = json.Marshal(out)
	if out == nil {
		delete(page, "history")
	}
}

// renumbered is a record of Gmail's at another position.
func renumbered(rec json.RawMessage, id string) json.RawMessage {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(rec, &fields)
	fields["id"], _ = json.Marshal(id)
	out, _ := json.Marshal(fields)
	return out
}

// delta mistreats a page of Graph's.
func (f *feedWire) delta(req *http.Request, page map[string]json.RawMessage) {
	var in []json.RawMessage
	_ = json.Unmarshal(page["value"], &in)
	out := []json.RawMessage{}
	for _, row := range in {
		var r struct {
			ID      string          `json:"id"`
			Removed json.RawMessage `json:"@removed"`
		}
		if json.Unmarshal(row, &r) != nil || r.Removed != nil || f.tell(r.ID, row, req.URL.Path) {
			out = append(out, row)
		}
	}
	if _, last := page["@odata.deltaLink"]; last {
		for _, id := range f.s.feed.order {
			it := f.s.feed.items[id]
			if it.where != req.URL.Path {
				continue
			}
			if it.fate == late && !f.w.clock.Now().Before(it.until) && it.times < 3 {
				it.times++
				out = append(out, it.raw)
			} else if it.fate == told && f.repeats() {
				out = append(out, it.raw)
			}
		}
	}
	page["value"], _ = json.Marshal(out)
}

// repeats says whether an item that was told is told once more.
func (f *feedWire) repeats() bool { return f.w.troubled && f.w.plan.chance(f.w.plan.Feed*0.02) }

// tell decides what becomes of an item when it first comes up, and reports
// whether it is told where it belongs.
func (f *feedWire) tell(id string, raw json.RawMessage, where string) bool {
	feed := &f.s.feed
	if feed.items == nil {
		feed.items = make(map[string]*fed)
	}
	it := feed.items[id]
	if it == nil {
		it = &fed{raw: raw, where: where}
		switch p := f.w.plan; {
		case !f.w.troubled || !p.chance(p.Feed):
		case p.chance(0.5):
			it.fate, it.until = late, f.w.clock.Now().Add(p.upTo(6*time.Hour))
		default:
			it.fate = dropped
		}
		if it.fate != told {
			f.w.note("%s: the feed does not tell %s, late %t", f.s.plan.Address, id, it.fate == late)
		}
		feed.items[id] = it
		feed.order = append(feed.order, id)
	}
	return it.fate == told
}

// silent says since when the feed, where nothing else does, lets a message be
// known that comes from an address nobody searches for; the zero time is
// never.
func (s *service) silent(m postoffice.Message) (since time.Time, silent bool) {
	it := s.feed.items[s.ref(m)]
	listed := s.google == nil && m.VisibleAt.Sub(m.Received) <= relisted // besides the feed
	if listed || it == nil || it.fate == told {
		return time.Time{}, false
	}
	return it.shown, true
}
