package mimemsg

import (
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// cutReturned takes the words of a report apart from the mail that it
// returns in the same text: at a line that announces it, or where a mail's
// header begins. A block of few header lines, in which some reports tell
// which mail they are about, is read and left out of the words.
func cutReturned(text string, rep *provider.Report) (words, returned string) {
	var b strings.Builder
	rest := text
	for n := 0; rest != "" && n < 4*maxReportLines; n++ {
		if size, whole := headerBlock(rest); size > 0 {
			if whole {
				return b.String(), rest
			}
			cite(rep, rest[:size])
			rest = rest[size:]
			continue
		}
		line, next, _ := strings.Cut(rest, "\n")
		if announcesMail(line) {
			return b.String(), next
		}
		b.WriteString(line)
		b.WriteByte('\n')
		rest = next
	}
	return b.String(), ""
}

// headerBlock measures the header fields that text begins with, if there are
// three or more that mails have. whole reports whether they are a mail's own
// header rather than lines that tell of it.
func headerBlock(text string) (size int, whole bool) {
	fields := 0
	margin := indent(text) // reports set such lines in
	for at := 0; at < len(text) && fields < 200; {
		end := len(text)
		if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		line := text[at:end]
		switch known, transport := mailField(line); {
		case known:
			fields++
			whole = whole || transport
		case fields > 0 && indent(line) > margin && strings.TrimSpace(line) != "":
		default:
			if fields < 3 {
				return 0, false
			}
			return at, whole
		}
		at = end
		size = end
	}
	if fields < 3 {
		return 0, false
	}
	return size, whole
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }

// mailField reports whether a line is a header field of a mail, and whether
// it is one that nobody writes for people to read.
func mailField(line string) (known, transport bool) {
	i := strings.IndexByte(line, ':')
	if i <= 0 || i > 60 {
		return false, false
	}
	name := strings.ToLower(strings.TrimLeft(line[:i], "> "))
	switch name {
	case "received", "return-path", "dkim-signature", "mime-version", "content-type", "references", "in-reply-to",
		"content-transfer-encoding", "authentication-results", "received-spf", "user-agent":
		return true, true
	case "message-id", "date", "from", "to", "cc", "subject", "sender", "reply-to":
		return true, false
	}
	if strings.ContainsAny(name, " \t<>@[]") {
		return false, false
	}
	return strings.HasPrefix(name, "x-") && !strings.HasPrefix(name, "x-postfix") || strings.HasPrefix(name, "arc-"), strings.HasPrefix(name, "x-")
}

// announcesMail reports whether a line says that the returned mail follows.
func announcesMail(line string) bool {
	if len(line) < 10 || len(line) > 120 {
		return false
	}
	line = strings.ToLower(line)
	for _, words := range []string{
		"copy of the message", "copy of your message", "copy of the original", "original message follows", "original message headers",
		"-- original message", "message headers follow", "unsent message", "message text follows", "-- returned message",
		"message header follows", "original mail info", "beginning of your message", "the original message was:", "headers of the original message",
		"text of the original", "start of returned message", "returned mail follows", "message follows --", "first part of your message",
	} {
		if strings.Contains(line, words) {
			return true
		}
	}
	return false
}
