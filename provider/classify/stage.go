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
	switch {
	case strings.Contains(text, "in reply to mail from"), strings.Contains(text, "after mail from"), strings.Contains(text, "like our mail from"):
		return atMail
	case strings.Contains(text, "no valid recipients"), strings.Contains(text, "need rcpt"):
		return atRcpt // commands were sent before their answers, and the rest was refused for want of a recipient
	case strings.Contains(text, "end of data"), strings.Contains(text, "to data command"), strings.Contains(text, "after data"), strings.Contains(text, "like our data"),
		strings.Contains(text, "after i sent the message"), strings.Contains(text, "command data"), strings.Contains(text, "(data"), strings.Contains(text, "data send"):
		return atData
	}
	// A transcript: the last command before the first refusal.
	if i := strings.Index(text, "<<< 5"); i >= 0 {
		mail, rcpt, data := strings.LastIndex(text[:i], "mail from"), strings.LastIndex(text[:i], "rcpt to"), strings.LastIndex(text[:i], ">>> data")
		switch last := max(mail, rcpt, data); {
		case last < 0:
		case last == data:
			return atData
		case last == rcpt:
			return atRcpt
		default:
			return atMail
		}
	}
	for _, words := range []string{"reply to rcpt", "after rcpt", "after pipelined rcpt", "our rcpt", "rcpt to command", "rcpt:", "not like recipient", "rejected recipient", "recipient address rejected", "rcpt host", "command: rcpt", "recipient was rejected"} {
		if strings.Contains(text, words) {
			return atRcpt
		}
	}
	return unknownStage
}
