package classify

import "strings"

// stage is the point of an SMTP dialogue (RFC 5321 section 3.3) at which a
// server refused.
type stage int

const (
	unknownStage stage = iota
	atMail             // the sender was told
	atRcpt             // the recipient was told
	atData             // the mail was told
	noneLeft           // commands were sent before their answers, and the rest was refused for want of a recipient
	stages
)

// stageOf reads the stage from a diagnostic or from the words around it.
// Systems name the command before the answer, as transcripts do, or after it
// in brackets.
func stageOf(said, around string) stage {
	for _, text := range []string{said, around} {
		if s := stageIn(text); s != unknownStage {
			return s
		}
	}
	return unknownStage
}

func stageIn(text string) stage {
	var is [stages]bool
	stageWords.find(text, func(h hit[stage]) bool {
		is[h.tag] = true
		return true
	})
	switch {
	case is[atMail]:
		return atMail
	case is[noneLeft]:
		return atRcpt
	case is[atData], strings.Contains(text, "(data"):
		return atData
	}
	// A transcript: the last command before the first refusal.
	if i := strings.Index(text, "<<< 5"); i >= 0 {
		if s := lastCommand(text[:i]); s != unknownStage {
			return s
		}
	}
	if i := replyAt(text); i >= 0 {
		if s := lastCommand(text[max(0, i-300):i]); s != unknownStage {
			return s
		}
	}
	if is[atRcpt] {
		return atRcpt
	}
	return unknownStage
}

// stageWords are how systems name the stage in words.
var stageWords = newPhrasebook(map[string]stage{
	`in reply to mail from; after mail from; like our mail from; my name was rejected; but sender was rejected`: atMail,
	`no valid recipients; need rcpt`: noneLeft,
	`end of data; to data command; after data; like our data; after i sent the message; command data; data send`:                                                                               atData,
	`reply to rcpt; after rcpt; after pipelined rcpt; our rcpt; rcpt to command; rcpt:; not like recipient; rejected recipient; recipient address rejected; rcpt host; recipient was rejected`: atRcpt,
})

// lastCommand returns the stage of the last command in a transcript.
func lastCommand(text string) stage {
	mail, rcpt := strings.LastIndex(text, "mail from:"), strings.LastIndex(text, "rcpt to")
	data := max(strings.LastIndex(text, "> data"), strings.LastIndex(text, ": data "))
	switch last := max(mail, rcpt, data); {
	case last < 0:
		return unknownStage
	case last == data:
		return atData
	case last == rcpt:
		return atRcpt
	}
	return atMail
}

// answersRecipient reports whether a server's reply begins with the address,
// as sendmail's and Postfix's do to RCPT alone: 550 <ada@example.com>... User
// unknown.
func answersRecipient(said, recipient string) bool {
	i := replyAt(said)
	if i < 0 || recipient == "" {
		return false
	}
	rest := strings.TrimLeft(said[i+3:], " -")
	if code, after := nextCode(rest[:min(len(rest), 12)]); code != "" && strings.HasPrefix(rest, code) {
		rest = strings.TrimLeft(rest[len(rest[:min(len(rest), 12)])-len(after):], " ")
	}
	rest, ok := strings.CutPrefix(rest, "<"+strings.ToLower(recipient)+">")
	return ok && (strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, "..."))
}

// ownWords reports whether a report repeats no server's reply: the system
// that wrote it looked for the address itself.
func ownWords(said, around string) bool { return replyAt(said) < 0 && replyAt(around) < 0 }
