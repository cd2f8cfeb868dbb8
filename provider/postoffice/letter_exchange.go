package postoffice

import (
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// The classes of Exchange's delivery reports
// (https://learn.microsoft.com/office/vba/outlook/concepts/forms/item-types-and-message-classes).
const (
	classNDR     = "REPORT.IPM.Note.NDR"
	classDelayed = "REPORT.IPM.Note.DELAYED"
	classAbsence = "IPM.Note.Rules.OofTemplate.Microsoft"
)

// internalVacation is an automatic answer of Exchange to somebody of the same
// organisation.
func (in received) internalVacation(me, to provider.Address, id string, now time.Time, b Behaviour) (raw []byte, class string) {
	return letter{from: me, to: to, subject: "Automatic reply: " + in.subject, now: now, id: id, text: absence(b)}.bytes(), classAbsence
}

// exchangeReport is a delivery report as Exchange writes it for people of its
// own organisation: no part for programs, nothing cited, the header of the
// mail at the end of the text.
func (in received) exchangeReport(failed, sender, id string, now time.Time, b Behaviour) (raw []byte, class string) {
	r := b.report(failed)
	subject, head, answer, class := "Undeliverable: ", "Delivery has failed to these recipients or groups:", "550 "+r.status, classNDR
	if b.Do == BounceDelay {
		subject, head, answer, class = "Delivery delayed: ", "Delivery to these recipients or groups is delayed:", "451 "+r.status, classDelayed
	}
	text := []string{
		head, "",
		failed + "<mailto:" + failed + ">",
		orText(b.Text, "A problem with the recipient's address was found. Please check it, or get in touch in another way."), "",
		"Diagnostic information for administrators:", "",
		"Generating server: mail." + domainOf(sender), "",
		failed,
		"Remote Server returned '" + answer + " " + orText(b.Text, "RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup") + "'", "",
		"Original message headers:", "",
		strings.ReplaceAll(in.original(), "\r\n", "\n"),
	}
	return letter{
		from: provider.Address{Name: "Microsoft Outlook", Addr: "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@" + domainOf(sender)},
		to:   provider.Address{Addr: sender}, subject: subject + in.subject, now: now, id: id, text: strings.Join(text, "\n"),
	}.bytes(), class
}
