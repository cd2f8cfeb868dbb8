package storetest

import (
	"slices"
	"time"

	"github.com/outreachkit/outreach/store"
)

func entry(key, conversation, recipient string, at time.Time) store.Entry {
	return store.Entry{
		Key: key, Conversation: conversation, Recipient: recipient, Owner: "maria", Actor: "tom", Direction: "out", Subject: "Hello " + key,
		At: at, Text: "text " + key, Parts: []store.Part{{Part: "2", Name: "cv.pdf", Size: 3, ContentID: "cv@1"}},
		Fresh: "fresh " + key, HTML: "<p>" + key + "</p>", OptOut: "stop",
	}
}

func conversationChecks() map[string]func(T, Harness) {
	with := func(f func(t T, s store.ConversationLog)) func(T, Harness) {
		return func(t T, h Harness) {
			t.Helper()
			if h.Conversations == nil {
				t.Skipf("no ConversationLog")
			}
			f(t, h.Conversations)
		}
	}
	add := func(t T, s store.ConversationLog, entries ...store.Entry) {
		t.Helper()
		if err := s.Append(t.Context(), entries); err != nil {
			t.Fatalf("append: %v", err)
		}
	}
	return map[string]func(T, Harness){
		"AppendOnce": with(func(t T, s store.ConversationLog) {
			e := entry("k1", "c1", "a@example.net", base)
			add(t, s, e)
			changed := e
			changed.Text = "changed"
			add(t, s, changed, entry("k2", "c1", "a@example.net", base.Add(time.Hour)))
			got := must[[]store.Entry](t, "conversation")(s.Conversation(t.Context(), "c1"))
			if len(got) != 2 || got[0].Text != "text k1" || got[1].Key != "k2" {
				t.Fatalf("the conversation is %+v", got)
			}
			if len(got[0].Parts) != 1 || got[0].Parts[0].Name != "cv.pdf" || got[0].Parts[0].ContentID != "cv@1" || got[0].Actor != "tom" ||
				got[0].Fresh != "fresh k1" || got[0].HTML != "<p>k1</p>" || got[0].OptOut != "stop" {
				t.Errorf("the entry is %+v", got[0])
			}
			sameTime(t, "At", got[0].At, base)
		}),
		"AllOrNothing": with(func(t T, s store.ConversationLog) {
			err := s.Append(t.Context(), []store.Entry{entry("k1", "c1", "a@example.net", base), {}})
			wantErr(t, "an entry without a key", err, store.ErrInvalid)
			if got := must[[]store.Entry](t, "conversation")(s.Conversation(t.Context(), "c1")); len(got) != 0 {
				t.Errorf("half of it was added: %+v", got)
			}
		}),
		"Order": with(func(t T, s store.ConversationLog) {
			add(t, s, entry("k3", "c1", "a@example.net", base.Add(time.Hour)), entry("k2", "c1", "a@example.net", base), entry("k1", "c1", "a@example.net", base))
			got := must[[]store.Entry](t, "conversation")(s.Conversation(t.Context(), "c1"))
			if len(got) != 3 || got[0].Key != "k1" || got[1].Key != "k2" || got[2].Key != "k3" {
				t.Errorf("the order is %+v", got)
			}
			if none := must[[]store.Entry](t, "unknown")(s.Conversation(t.Context(), "c9")); len(none) != 0 {
				t.Errorf("an unknown conversation has entries")
			}
		}),
		"Find": with(func(t T, s store.ConversationLog) {
			asked := entry("k3", "c2", "b@example.net", base.Add(2*time.Hour))
			asked.AnswerNeeded = true
			other := entry("k4", "c3", "c@example.net", base.Add(3*time.Hour))
			other.Owner, other.Actor = "eve", "eve"
			add(t, s, entry("k1", "c1", "a@example.net", base), entry("k2", "c1", "a@example.net", base.Add(time.Hour)), asked, other)
			find := func(p store.FindConversations) []string {
				var ids []string
				for _, sum := range must[[]store.Summary](t, "find")(s.Find(t.Context(), p)) {
					ids = append(ids, sum.Conversation)
				}
				return ids
			}
			for what, c := range map[string]struct {
				p    store.FindConversations
				want string
			}{
				"all, newest first": {store.FindConversations{}, "[c3 c2 c1]"},
				"by owner":          {store.FindConversations{Owner: "maria"}, "[c2 c1]"},
				"by actor":          {store.FindConversations{Owner: "tom"}, "[c2 c1]"},
				"by recipient":      {store.FindConversations{Recipient: "a@example.net"}, "[c1]"},
				"flagged":           {store.FindConversations{AnswerNeeded: true}, "[c2]"},
				"limited":           {store.FindConversations{Limit: 1}, "[c3]"},
			} {
				if got := sprint(find(c.p)); got != c.want {
					t.Errorf("%s: %s, want %s", what, got, c.want)
				}
			}
			sums := must[[]store.Summary](t, "find")(s.Find(t.Context(), store.FindConversations{Recipient: "a@example.net"}))
			if sums[0].Entries != 2 || sums[0].Subject != "Hello k1" {
				t.Errorf("the summary is %+v", sums[0])
			}
			sameTime(t, "Last", sums[0].Last, base.Add(time.Hour))
		}),
		"Flag": with(func(t T, s store.ConversationLog) {
			asked := entry("k1", "c1", "a@example.net", base)
			asked.AnswerNeeded = true
			add(t, s, asked)
			flagged := func() bool {
				return len(must[[]store.Summary](t, "find")(s.Find(t.Context(), store.FindConversations{AnswerNeeded: true}))) == 1
			}
			if !flagged() {
				t.Errorf("an entry that needs an answer does not flag its conversation")
			}
			if err := s.Flag(t.Context(), "c1", false); err != nil || flagged() {
				t.Errorf("the flag stays: %v", err)
			}
			if err := s.Flag(t.Context(), "c1", true); err != nil || !flagged() {
				t.Errorf("the flag is not set: %v", err)
			}
			wantErr(t, "an unknown conversation", s.Flag(t.Context(), "c9", true), store.ErrNotFound)
		}),
		"Answers": with(func(t T, s store.ConversationLog) {
			asks := func(key, talk string, after time.Duration) store.Entry {
				e := entry(key, talk, talk+"@example.net", base.Add(after))
				e.AnswerNeeded = true
				return e
			}
			answers := func(key, talk string, after time.Duration) store.Entry {
				e := entry(key, talk, talk+"@example.net", base.Add(after))
				e.Answers = true
				return e
			}
			plain := func(key, talk string, after time.Duration) store.Entry {
				return entry(key, talk, talk+"@example.net", base.Add(after))
			}
			marked := func() string {
				var ids []string
				for _, sum := range must[[]store.Summary](t, "find")(s.Find(t.Context(), store.FindConversations{AnswerNeeded: true})) {
					ids = append(ids, sum.Conversation)
				}
				slices.Sort(ids)
				return sprint(ids)
			}
			expect := func(what, want string) {
				t.Helper()
				if got := marked(); got != want {
					t.Errorf("%s: marked are %s, want %s", what, got, want)
				}
			}
			add(t, s, asks("a1", "a", time.Hour), asks("b1", "b", time.Hour), asks("c1", "c", 3*time.Hour))
			expect("asked", "[a b c]")
			add(t, s, answers("a2", "a", 2*time.Hour), plain("b2", "b", 2*time.Hour), answers("c2", "c", 2*time.Hour))
			expect("an answer, a mail that is none, and an answer from before the question", "[b c]")
			if got := must[[]store.Entry](t, "conversation")(s.Conversation(t.Context(), "a")); len(got) != 2 || got[0].Answers || !got[1].Answers {
				t.Errorf("which entry answers is not kept: %+v", got)
			}
			add(t, s, asks("a3", "a", 90*time.Minute))
			expect("a question that was found late", "[a b c]")
			add(t, s, answers("a2", "a", 2*time.Hour))
			expect("an answer that was there", "[a b c]")
			add(t, s, asks("b3", "b", 4*time.Hour), answers("b4", "b", 5*time.Hour), answers("c3", "c", 4*time.Hour), asks("c4", "c", 5*time.Hour))
			expect("question and answer together", "[a c]")
			if err := s.Flag(t.Context(), "b", true); err != nil {
				t.Fatalf("flag: %v", err)
			}
			add(t, s, answers("b5", "b", 6*time.Hour))
			expect("an answer to what was marked by hand", "[a c]")
		}),
		"Erase": with(func(t T, s store.ConversationLog) {
			add(t, s, entry("k1", "c1", "a@example.net", base), entry("k2", "c1", "a@example.net", base), entry("k3", "c2", "b@example.net", base))
			n := must[int](t, "erase")(s.Erase(t.Context(), "a@example.net"))
			if n != 2 {
				t.Errorf("%d entries erased, want 2", n)
			}
			left := must[[]store.Summary](t, "find")(s.Find(t.Context(), store.FindConversations{}))
			if len(left) != 1 || left[0].Conversation != "c2" {
				t.Errorf("left is %+v", left)
			}
			_, err := s.Erase(t.Context(), "")
			wantErr(t, "nobody", err, store.ErrInvalid)
		}),
	}
}
