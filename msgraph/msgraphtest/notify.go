package msgraphtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// Pushed is one notification in one try to deliver it.
type Pushed struct {
	At           time.Time
	Mailbox      string // its primary address
	Subscription string
	Lifecycle    string // the event, of a lifecycle notification
	Status       int    // of the answer; zero if there was none
}

// pushes is what the server keeps of them, guarded by Server.mu.
type pushes struct {
	webhook http.Handler
	subs    map[string]*subscription // by id
	hooked  map[*postoffice.Mailbox]bool
	queue   map[string][]notice // by address, what goes there in the next request
	told    []Pushed
	serial  int
}

// notice is one notification on its way.
type notice struct {
	sub       *subscription
	number    int64 // of the message; zero is none
	folder    string
	lifecycle string
}

const (
	opPush = "push"

	// keepsTrying is how long a notification is pushed again that nobody
	// acknowledged.
	keepsTrying = 4 * time.Hour
)

// SetWebhook has h answer in place of every notification URL, without a
// socket. Nil asks the URLs.
func (s *Server) SetWebhook(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.push.webhook = h
}

// Pushes returns every try to deliver a notification so far.
func (s *Server) Pushes() []Pushed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.push.told)
}

// Subscription is one as Graph holds it.
type Subscription struct {
	ID          string
	ClientState string
	Expires     time.Time
	Paused      bool // waits to be authorized again
}

// Subscriptions lists those of a mailbox that live, by id.
func (s *Server) Subscriptions(addr string) []Subscription {
	box := s.office.Mailbox(addr)
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Subscription
	for _, sub := range s.push.subs {
		if sub.box == box && sub.ends.After(s.clock.Now()) {
			out = append(out, Subscription{ID: sub.id, ClientState: sub.clientState, Expires: sub.ends, Paused: sub.paused})
		}
	}
	slices.SortFunc(out, func(a, b Subscription) int { return a.Expires.Compare(b.Expires) })
	return out
}

// RemoveSubscriptions ends the subscriptions to a mailbox. Told says that
// lifecycle notifications tell of it.
func (s *Server) RemoveSubscriptions(addr string, told bool) {
	for _, sub := range s.living(addr) {
		s.mu.Lock()
		delete(s.push.subs, sub.id)
		s.mu.Unlock()
		if told {
			s.enqueue(sub.lifecycle, notice{sub: sub, lifecycle: "subscriptionRemoved"})
		}
	}
}

// RequireReauthorization holds back what there is to tell of a mailbox until
// its subscriptions are authorized again, and says so.
func (s *Server) RequireReauthorization(addr string) {
	for _, sub := range s.living(addr) {
		s.mu.Lock()
		sub.paused = true
		s.mu.Unlock()
		s.enqueue(sub.lifecycle, notice{sub: sub, lifecycle: "reauthorizationRequired"})
	}
}

func (s *Server) living(addr string) []*subscription {
	box := s.office.Mailbox(addr)
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*subscription
	for _, sub := range s.push.subs {
		if sub.box == box && sub.ends.After(s.clock.Now()) {
			out = append(out, sub)
		}
	}
	return out
}

// hook has a mailbox tell of its new messages.
func (s *Server) hook(box *postoffice.Mailbox) {
	box.OnChange(func(ch postoffice.Change) {
		if ch.Kind == postoffice.Added {
			s.clock.At(s.clock.Now(), func() { s.created(box, ch) })
		}
	})
}

// created tells the subscriptions of a mailbox of a new message. What is held
// back is lost.
func (s *Server) created(box *postoffice.Mailbox, ch postoffice.Change) {
	now := s.clock.Now()
	s.mu.Lock()
	var subs []*subscription
	for _, sub := range s.push.subs {
		if sub.box == box && sub.ends.After(now) && !sub.paused {
			subs = append(subs, sub)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(subs, func(a, b *subscription) int { return a.ends.Compare(b.ends) })
	for _, sub := range subs {
		n := notice{sub: sub, number: ch.Number, folder: folderOf(ch.Labels)}
		rule := s.fault(opPush, box, nil, nil)
		if rule == nil {
			s.enqueue(sub.url, n)
			continue
		}
		if rule.Call != nil {
			rule.Call()
		}
		switch rule.Fault {
		case DropPush:
		case MissPush:
			s.enqueue(sub.lifecycle, notice{sub: sub, lifecycle: "missed"})
		case RepeatPush:
			s.enqueue(sub.url, n)
			s.enqueue(sub.url, n)
		case DelayPush:
			s.clock.At(now.Add(rule.Delay), func() { s.enqueue(sub.url, n) })
		default:
			s.enqueue(sub.url, n)
		}
	}
}

// enqueue has a notification go out with whatever else goes to the address at
// this moment.
func (s *Server) enqueue(address string, n notice) {
	if address == "" {
		return // nobody wants to know
	}
	s.mu.Lock()
	first := len(s.push.queue[address]) == 0
	s.push.queue[address] = append(s.push.queue[address], n)
	s.mu.Unlock()
	if first {
		s.clock.At(s.clock.Now(), func() {
			s.mu.Lock()
			batch := s.push.queue[address]
			delete(s.push.queue, address)
			s.mu.Unlock()
			s.deliver(address, batch, s.clock.Now(), 0)
		})
	}
}

// deliver makes one request of several notifications, again and again until
// it is acknowledged.
func (s *Server) deliver(address string, batch []notice, born time.Time, tries int) {
	status := 0
	if resp, _ := s.post(address, "application/json; charset=utf-8", s.collection(batch)); resp != nil {
		status = resp.StatusCode
	}
	now := s.clock.Now()
	s.mu.Lock()
	for _, n := range batch {
		s.push.told = append(s.push.told, Pushed{At: now, Mailbox: n.sub.box.Address(), Subscription: n.sub.id, Lifecycle: n.lifecycle, Status: status})
	}
	s.mu.Unlock()
	if status/100 == 2 {
		return
	}
	wait := min(10*time.Second<<min(tries, 8), 30*time.Minute)
	if now.Add(wait).Before(born.Add(keepsTrying)) {
		s.clock.At(now.Add(wait), func() { s.deliver(address, batch, born, tries+1) })
	}
}

// collection is the body of a request
// (https://learn.microsoft.com/graph/api/resources/changenotificationcollection).
func (s *Server) collection(batch []notice) []byte {
	s.mu.Lock() // ends may be put off meanwhile
	defer s.mu.Unlock()
	value := []map[string]any{}
	for _, n := range batch {
		v := map[string]any{
			"subscriptionId": n.sub.id, "subscriptionExpirationDateTime": graphTime(n.sub.ends), "tenantId": n.sub.who.tenant.ID, "clientState": n.sub.clientState,
		}
		if n.lifecycle != "" {
			v["lifecycleEvent"] = n.lifecycle
			value = append(value, v)
			continue
		}
		id := immutableID(n.number)
		if !n.sub.immutable {
			id = makeID(mutableMark, n.number, hashOf(n.folder))
		}
		resource := "Users/" + n.sub.who.object + "/Messages/" + id
		v["changeType"], v["resource"] = "created", resource
		v["resourceData"] = map[string]any{"@odata.type": "#Microsoft.Graph.Message", "@odata.id": resource, "@odata.etag": `W/"` + id[:8] + `"`, "id": id}
		value = append(value, v)
	}
	body, err := json.Marshal(map[string]any{"value": value})
	if err != nil {
		panic(err) // maps of texts
	}
	return body
}
