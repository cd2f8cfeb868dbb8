package classify

import (
	"strings"
)

// Kind is how a delivery failed, and so what follows from it.
type Kind string

// The kinds of failure.
const (
	Hard    Kind = "hard"    // the address takes no mail and will not
	Soft    Kind = "soft"    // it may pass: a full mailbox, a fault on the way, an account on hold
	Late    Kind = "late"    // it is still being tried
	Limit   Kind = "limit"   // the sending account was refused, for its volume or its reputation; the recipient is not to blame
	Policy  Kind = "policy"  // this mail was refused by a rule: its content, its sender's domain, the way it came
	Unclear Kind = "unclear" // it failed, and nothing says why
)

// failure judges one recipient by the status of its group, by what the
// servers answered, and by the words around it, which tell at what the
// refusal came. Both texts are prepared for phrases.
func failure(recipient, status, said, around string, late bool) Failure {
	code := specific(status, said)
	return Failure{Recipient: recipient, Status: code, Kind: kindOf(code, recipient, said, around, late)}
}

// specific returns the most telling of a group's status and the codes in the
// diagnostic: many systems write 5.0.0 whatever the other server answered. A
// code that stands right behind a reply code is the server's own word.
func specific(status, said string) string {
	best, score := status, 2*worth(status)
	before := 0
	for rest := said; ; {
		code, after := nextCode(rest)
		if code == "" {
			return best
		}
		at := len(said) - len(after) - len(code)
		n := 2 * worth(code)
		switch {
		case repliedBefore(said[before:at]):
			n++
		case status != "" && status[0] != code[0]:
			n = 0 // of something else
		}
		if n > score {
			best, score = code, n
		}
		rest, before = after, len(said)-len(after)
	}
}

// repliedBefore reports whether s ends with an SMTP reply code.
func repliedBefore(s string) bool {
	s = strings.TrimRight(s, " -(#")
	n := len(s)
	return n >= 3 && (s[n-3] == '4' || s[n-3] == '5') && isDigit(s[n-2]) && isDigit(s[n-1]) && (n == 3 || !isDigit(s[n-4]) && s[n-4] != '.')
}

// worth ranks a status code by how much it tells.
func worth(code string) int {
	class, subject, detail := cutCode(code)
	switch {
	case class == "":
		return 0
	case class == "2":
		return 1
	case subject == "0" && detail == "0":
		return 2
	case detail == "0" || code == "5.5.0" || code == "5.5.1":
		return 3
	}
	return 4
}

func cutCode(code string) (class, subject, detail string) {
	class, rest, ok := strings.Cut(code, ".")
	subject, detail, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 {
		return "", "", ""
	}
	return class, subject, detail
}

// nextCode finds an enhanced status code of a failure (RFC 3463 section 2) in
// free text. What is part of a longer run of numbers, such as an IP address,
// is none.
func nextCode(s string) (code, rest string) {
	for i := 0; i+4 < len(s); i++ {
		if s[i] != '4' && s[i] != '5' || s[i+1] != '.' || i > 0 && (inWord(s[i-1]) || s[i-1] == '.') {
			continue
		}
		j := i + 2
		n1 := digits(s[j:])
		if n1 == 0 || n1 > 3 || j+n1 >= len(s) || s[j+n1] != '.' {
			continue
		}
		k := j + n1 + 1
		n2 := digits(s[k:])
		if n2 == 0 || n2 > 3 {
			continue
		}
		end := k + n2
		if end+1 < len(s) && s[end] == '.' && isDigit(s[end+1]) {
			continue
		}
		return s[i:end], s[end:]
	}
	return "", ""
}

func inWord(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func digits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// replyClass returns the first digit of the first SMTP reply code of a
// refusal in s, or 0.
func replyClass(s string) byte {
	if i := replyAt(s); i >= 0 {
		return s[i]
	}
	return 0
}

// replyAt returns where the first SMTP reply code of a refusal stands in s,
// or -1.
func replyAt(s string) int {
	for i := 0; i+3 <= len(s); i++ {
		if s[i] != '4' && s[i] != '5' || s[i+1] > '5' || !isDigit(s[i+1]) || !isDigit(s[i+2]) || i > 0 && (isDigit(s[i-1]) || strings.IndexByte(".[-#:/", s[i-1]) >= 0) {
			continue
		}
		if i+3 == len(s) || s[i+3] == ' ' || s[i+3] == '-' || s[i+3] == ':' {
			return i
		}
	}
	return -1
}

// kindOf weighs the code against the words. A code of the sending account
// and words that blame the sender count before all; words of a passing
// trouble or of a policy count before a code that says the address is dead,
// unless they come after words that say so too ("no such user, try again with
// another address"); and words that say so decide only where the code says
// nothing, and it is seen that it was the address that was refused. Filters
// say "user unknown" of mail that they do not like, after they have taken the
// address.
func kindOf(code, recipient, said, around string, late bool) Kind {
	text := withoutNames(said)
	is, first := reasonsIn(text)
	dead := first == noUser || first == surelyNoUser
	class, subject, _ := cutCode(code)
	at := stageOf(said, around)
	if at == unknownStage && subject != "2" && answersRecipient(said, recipient) {
		at = atRcpt
	}
	switch {
	case is[accountLimit], limitCodes[code] && (code != "5.1.8" || !is[blamesSender]), code == "5.4.5" && is[volume]:
		return Limit
	case late && class != "5":
		return Late
	case class == "4" && first == passing:
		return Soft
	case is[blamesSender] || at == atMail:
		return Policy
	case code == "5.2.2" || code == "5.2.3" || code == "4.2.2" || is[full]:
		return Soft
	case class == "4":
		return Soft
	case code == "5.7.1" && first == surelyNoUser && at == atRcpt && !is[refused]:
		return Hard
	case subject == "7" || subject == "6":
		return Policy
	case hardCodes[code]:
		switch {
		case dead:
			return Hard
		case is[refused]:
			return Policy
		case is[passing]:
			return Soft
		}
		return Hard
	case is[refused] && !dead:
		return Policy
	case (is[passing] || is[onHold]) && !dead && first != noHost:
		return Soft
	case class == "" && replyClass(text) == '4':
		return Soft
	case !vague(code):
	case is[noHost], is[surelyNoUser], is[unavailable] && code == "5.5.0" && first == unavailable, (is[noUser] || first == unavailable) && at == atRcpt:
		return Hard
	case is[noUser] && at == unknownStage && class == "5" && subject != "2" && ownWords(text, around):
		return Hard
	case is[noUser] && at == atData:
		return Policy
	}
	if !is[noUser] && (replyClass(text) == '4' || class == "5" && (subject == "2" || subject == "3" || subject == "4")) {
		return Soft
	}
	return Unclear
}

// reasonsIn returns what the words say, and what they say first. Where a
// server's reply stands in the text, its words count before those that the
// reporting system puts around it.
func reasonsIn(text string) (is [reasons]bool, first reason) {
	first = reasons
	look := func(text string) {
		failureWords.find(text, func(h hit[reason]) bool {
			if first == reasons {
				first = h.tag
			}
			is[h.tag] = true
			return true
		})
	}
	if i := replyAt(text); i > 0 {
		look(text[i:])
	}
	if first == reasons {
		look(text)
	}
	return is, first
}

// withoutNames leaves out the addresses and links, whose words say nothing.
func withoutNames(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for word := range strings.SplitSeq(text, " ") {
		if strings.Contains(word, "://") {
			continue
		}
		if at := strings.IndexByte(word, '@'); at > 0 && at < len(word)-1 {
			if i := strings.LastIndexByte(word, '>'); i > at { // <ada@example.com>... User unknown
				word = word[i:]
			} else {
				continue
			}
		}
		b.WriteString(word)
		b.WriteByte(' ')
	}
	return b.String()
}

// maxDiagnosis bounds what is read of one recipient's diagnostic, in bytes.
const maxDiagnosis = 1500

// vague reports whether a code leaves it to the words whether the address is
// dead.
func vague(code string) bool {
	switch code {
	case "", "5.0.0", "5.5.0", "5.5.1", "5.5.4", "5.3.0", "5.2.0", "5.2.1", "5.1.0", "5.4.1", "5.1.7", "5.1.8", "5.1.9", "5.4.310":
		return true
	}
	return strings.HasPrefix(code, "5.1.") || strings.HasPrefix(code, "5.0.")
}

// hardCodes are those that speak of the address itself (RFC 3463 section
// 3.2; 5.1.10 and 5.4.310 are Exchange Online's for no such recipient and no
// such domain).
var hardCodes = map[string]bool{
	"5.1.1": true, "5.1.2": true, "5.1.3": true, "5.1.6": true, "5.1.10": true, "5.4.4": true, "5.4.310": true,
}

// limitCodes are the refusals of the sender. Exchange Online's: too many
// recipients a day, an account that may not send (5.1.8 and 5.1.91 as well as
// 5.7.501 and 5.7.508), a blocked tenant, its external limit
// (https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online).
// Outlook.com's for a domain that proves nothing (5.7.515). Gmail's for the
// rate of mail (4.7.28, 5.7.28).
var limitCodes = map[string]bool{
	"5.1.90": true, "5.1.8": true, "5.1.91": true, "5.7.705": true, "5.7.708": true, "5.7.232": true, "5.7.233": true, "5.7.750": true,
	"5.7.501": true, "5.7.508": true, "5.7.515": true, "4.7.28": true, "5.7.28": true, "4.7.650": true,
}
