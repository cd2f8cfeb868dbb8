package classify_test

import (
	"encoding/csv"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/internal/shared"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
)

// corpora returns the directory of one collection of real mail, which is
// kept outside of the module.
func corpora(t testing.TB, name string) string {
	t.Helper()
	return shared.Path(t, "corpora/"+name)
}

// label is what is known of one recipient of a report.
type label struct {
	status, reason string
	hard           bool
}

// realBounces reads the collection. Half of it, told by a hash of the name,
// was looked at while the rules were written; the other half was not.
func realBounces(t testing.TB) (names []string, raw map[string][]byte, labels map[string][]label) {
	t.Helper()
	dir := corpora(t, "bounces")
	f, err := os.Open(filepath.Join(dir, "expected.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	labels = make(map[string][]label)
	for _, row := range rows[1:] {
		labels[row[0]] = append(labels[row[0]], label{status: row[2], reason: row[4], hard: row[5] == "true"})
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	raw = make(map[string][]byte)
	for _, path := range files {
		name := filepath.Base(path)
		if raw[name], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	sort.Strings(names)
	return names, raw, labels
}

func seen(name string) bool { return crc32.ChecksumIEEE([]byte(name))%2 == 0 }

// scores is the confusion of one part of the collection.
type scores struct {
	bounces, found      int // reports of failure or delay, and those called so
	others, falsely     int // other mail, and that called a bounce
	soft, softAsHard    int
	hard, hardAsHard    int
	status, statusRight int
	named               int // reports that name whom the labels' mail names
	confusion           map[[2]string]int
	wrong               []string
}

// generic reports whether a status tells nothing or is the labeller's own.
func generic(status string) bool {
	return status == "" || strings.HasSuffix(status, ".0.0") || strings.Contains(status, ".0.9")
}

func (s *scores) add(name string, raw []byte, labels []label) {
	msg, _ := mimemsg.Read(raw)
	v := classify.Classify(&msg.Envelope, msg)
	called := v.Class == classify.Bounce || v.Class == classify.Delayed
	if len(labels) == 0 {
		return
	}
	reason := labels[0].reason
	s.confusion[[2]string{kindOfLabel(labels[0]), string(v.Class)}]++
	switch reason {
	case "feedback", "vacation", "delivered":
		s.others++
		if called {
			s.falsely++
			s.wrong = append(s.wrong, fmt.Sprintf("%s: %s, called %s by %s", name, reason, v.Class, v.Evidence))
		}
		return
	}
	s.bounces++
	if !called {
		s.wrong = append(s.wrong, fmt.Sprintf("%s: %s, called %s by %s", name, reason, v.Class, v.Evidence))
		return
	}
	s.found++
	if slices.ContainsFunc(v.Failed, func(f classify.Failure) bool { return provider.Normalize(f.Recipient) != "" }) {
		s.named++
	} else {
		s.wrong = append(s.wrong, fmt.Sprintf("%s: names nobody (%s)", name, v.Evidence))
	}
	for i, l := range labels {
		var f classify.Failure
		if i < len(v.Failed) {
			f = v.Failed[i]
		}
		isHard := f.Kind == classify.Hard
		if l.hard {
			s.hard++
			if isHard {
				s.hardAsHard++
			} else {
				s.wrong = append(s.wrong, fmt.Sprintf("%s: %s %s, called %s %s", name, l.status, l.reason, f.Status, f.Kind))
			}
		} else {
			s.soft++
			if isHard {
				s.softAsHard++
				s.wrong = append(s.wrong, fmt.Sprintf("%s: %s %s, called %s %s", name, l.status, l.reason, f.Status, f.Kind))
			}
		}
		if !generic(l.status) {
			s.status++
			if l.status == f.Status {
				s.statusRight++
			} else {
				s.wrong = append(s.wrong, fmt.Sprintf("%s: status %s, read %s", name, l.status, f.Status))
			}
		}
	}
}

func kindOfLabel(l label) string {
	switch l.reason {
	case "feedback", "vacation", "delivered":
		return l.reason
	}
	if l.hard {
		return "hard bounce"
	}
	return "soft bounce"
}

func percent(n, of int) float64 {
	if of == 0 {
		return 100
	}
	return 100 * float64(n) / float64(of)
}

// TestRealBounces prints the table of what real reports are called, and
// holds the floors.
func TestRealBounces(t *testing.T) {
	names, raw, labels := realBounces(t)
	held := &scores{confusion: map[[2]string]int{}}
	tuned := &scores{confusion: map[[2]string]int{}}
	for _, name := range names {
		if seen(name) {
			tuned.add(name, raw[name], labels[name])
		} else {
			held.add(name, raw[name], labels[name])
		}
	}
	for part, s := range map[string]*scores{"looked at": tuned, "held out": held} {
		var table strings.Builder
		keys := make([][2]string, 0, len(s.confusion))
		for k := range s.confusion {
			keys = append(keys, k)
		}
		slices.SortFunc(keys, func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
		for _, k := range keys {
			fmt.Fprintf(&table, "\n  %-12s called %-16s %4d", k[0], k[1], s.confusion[k])
		}
		recall, precision := percent(s.found, s.bounces), percent(s.found, s.found+s.falsely)
		softHard, hardHard := percent(s.softAsHard, s.soft), percent(s.hardAsHard, s.hard)
		named, status := percent(s.named, s.found), percent(s.statusRight, s.status)
		t.Logf("%s:%s\n  bounces: recall %.1f %% of %d, precision %.1f %%; soft called hard %.1f %% of %d; hard called hard %.1f %% of %d; recipient found %.1f %%; status %.1f %% of %d",
			part, table.String(), recall, s.bounces, precision, softHard, s.soft, hardHard, s.hard, named, status, s.status)
		if part == "looked at" && os.Getenv("CLASSIFY_WRONG") != "" {
			t.Log(strings.Join(s.wrong, "\n"))
		}
		if recall < 97 || precision < 99.8 || softHard > 1.5 || named < 95 || status < 95 || hardHard < 85 {
			t.Errorf("%s: below the floor", part)
		}
	}
}
