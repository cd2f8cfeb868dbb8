package mimemsg_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/internal/shared"
)

// corpus returns the mails of one collection of real and odd mail, which is
// kept outside of the module.
func corpus(t *testing.T, name string) map[string][]byte {
	t.Helper()
	mails := make(map[string][]byte)
	err := filepath.WalkDir(shared.Path(t, "corpora/"+name), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".eml" {
			return err
		}
		mails[filepath.Base(path)], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(mails) == 0 {
		t.Fatalf("corpora/%s: %d mails, %v", name, len(mails), err)
	}
	return mails
}

func TestOddMIME(t *testing.T) {
	for name, raw := range corpus(t, "odd-mime") {
		msg, err := mimemsg.Read(raw)
		if msg == nil {
			t.Errorf("%s: no message", name)
			continue
		}
		if msg.Text == "" && msg.HTML == "" && msg.Attachments == nil && msg.Report == nil && msg.Envelope.From == nil && err == nil {
			t.Errorf("%s: nothing was read and nothing is said of it", name)
		}
		for _, a := range msg.Attachments {
			if rc, err := mimemsg.OpenPart(raw, a.Part); err != nil {
				t.Errorf("%s: part %s: %v", name, a.Part, err)
			} else if err := rc.Close(); err != nil {
				t.Errorf("%s: part %s: %v", name, a.Part, err)
			}
		}
		t.Logf("%-50s text %5d html %5d files %2d %q %v", name, len(msg.Text), len(msg.HTML), len(msg.Attachments), msg.Envelope.Subject, err)
	}
}

// statusPart finds a delivery status with a recipient anywhere in the bytes.
var statusPart = regexp.MustCompile(`(?is)\ncontent-type:\s*message/(global-)?delivery-status.*\n(final|original)-recipient:[^\r\n]*@`)

// TestBounces holds that each report in the collection is found, with whom it
// names, unless it is text within a mail that says it is text.
func TestBounces(t *testing.T) {
	statuses, reports, named, cited, broken := 0, 0, 0, 0, 0
	for name, raw := range corpus(t, "bounces") {
		msg, err := mimemsg.Read(raw)
		if msg.Text == "" && msg.HTML == "" && msg.Report == nil && msg.Attachments == nil {
			t.Errorf("%s: nothing was read: %v", name, err)
		}
		if err != nil {
			broken++
		}
		if rep := msg.Report; rep != nil {
			reports++
			if rep.OriginalMessageID != "" || rep.OriginalTo != nil {
				cited++
			}
			if rep.Recipients != nil {
				named++
			}
		}
		if !statusPart.Match(raw) {
			continue
		}
		statuses++
		if strings.HasPrefix(msg.Envelope.ContentType, "multipart/") && (msg.Report == nil || msg.Report.Recipients == nil) {
			t.Errorf("%s: its status was not read: %v", name, err)
		}
	}
	t.Logf("%d hold a delivery status; %d reports were read, of which %d name recipients and %d the mail they are about; %d mails are malformed",
		statuses, reports, named, cited, broken)
	if statuses == 0 || reports == 0 {
		t.Error("the collection holds no reports")
	}
}
