package privacytest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// allowed are the fields that may be asked for of any message, and of one whose
// headers may be read. Nothing else of a message is ever named.
var allowed = []string{
	"id", "conversationId", "parentFolderId", "isDraft", "receivedDateTime", "internetMessageId", "subject", "from", "sender", "replyTo", "toRecipients", "ccRecipients",
	"sentDateTime", "internetMessageHeaders",
}

// tooMuch says what a request for messages asks for beyond what may be; empty
// if it names its fields and none of them holds text.
func tooMuch(r *http.Request) string {
	if r.Method != http.MethodGet {
		return ""
	}
	at, q := r.URL.Path, r.URL.Query()
	if strings.Contains(at, "/gmail/v1/users/me/") {
		return tooMuchOfGmail(at, q)
	}
	if !strings.Contains(at, "/messages") || !strings.Contains(at, "/me/") || strings.HasSuffix(at, "/$value") {
		return ""
	}
	if strings.Contains(at, "/attachments") {
		return "attachments are listed"
	}
	if q.Has("$deltatoken") || q.Has("$skiptoken") || q.Has("$deltaToken") || q.Has("$skipToken") {
		return "" // a link of Graph's, which goes on with the fields of the first request
	}
	if q.Get("$select") == "" {
		return "all fields are asked for"
	}
	for field := range strings.SplitSeq(q.Get("$select"), ",") {
		if !slices.Contains(allowed, field) {
			return "the field " + field + " is asked for"
		}
	}
	if x := q.Get("$expand"); x != "" && !strings.HasPrefix(x, "singleValueExtendedProperties(") || strings.Contains(x, "0x1000") || strings.Contains(x, "0x1013") { // PidTagBody, PidTagHtml
		return x + " is expanded"
	}
	return ""
}

func tooMuchOfGmail(at string, q url.Values) string {
	if !strings.Contains(at, "/messages") && !strings.Contains(at, "/threads") && !strings.Contains(at, "/history") {
		return ""
	}
	fields := q.Get("fields")
	switch {
	case fields == "":
		return "all fields are asked for"
	case strings.Contains(fields, "snippet") || strings.Contains(fields, "*") || strings.Contains(fields, "payload") && !strings.Contains(fields, "payload(headers)"):
		return "the fields " + fields + " are asked for"
	}
	if strings.HasSuffix(at, "/messages") || strings.HasSuffix(at, "/history") {
		return ""
	}
	switch format := q.Get("format"); format {
	case "metadata":
		if len(q["metadataHeaders"]) == 0 {
			return "all headers are asked for"
		}
	case "minimal":
	case "raw":
		if !strings.Contains(at, "/messages/") {
			return "a thread is asked for with its text"
		}
	default:
		return fmt.Sprintf("the format %q is asked for", format)
	}
	return ""
}

// TestTooMuch holds that the check of requests can fail.
func TestTooMuch(t *testing.T) {
	for address, good := range map[string]bool{
		"/gmail/v1/users/me/messages/1?format=metadata&metadataHeaders=From&fields=id,payload(headers)": true,
		"/gmail/v1/users/me/messages/1?format=metadata&fields=id,payload(headers)":                      false,
		"/gmail/v1/users/me/messages/1?format=metadata&metadataHeaders=From":                            false,
		"/gmail/v1/users/me/messages/1?format=minimal&fields=id,snippet":                                false,
		"/gmail/v1/users/me/messages/1?format=full&fields=id":                                           false,
		"/gmail/v1/users/me/messages/1?fields=id":                                                       false,
		"/gmail/v1/users/me/threads/1?format=raw&fields=messages(id)":                                   false,
		"/v1.0/me/messages/1?$select=id,subject":                                                        true,
		"/v1.0/me/messages/1?$select=id,bodyPreview":                                                    false,
		"/v1.0/me/messages":                                                    false,
		"/v1.0/me/messages/1/attachments?$select=id":                           false,
		"/v1.0/me/messages/1?$select=id&$expand=attachments":                   false,
		"/v1.0/me/mailFolders('inbox')/messages/delta()?$select=id,uniqueBody": false,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://service.example.com"+strings.ReplaceAll(address, " ", "%20"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if why := tooMuch(r); (why == "") != good {
			t.Errorf("%s: %q", address, why)
		}
	}
}
