package classify

import (
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// challengeServices answer first contacts by asking for proof.
var challengeServices = []string{"boxbe.com", "spamarrest.com", "mailblocks.com", "0spam.com", "sendio.com", "uwriteback.com", "knowspam.net", "mailinblack.com", "mailinblack.fr", "cleanmymailbox.com", "bluebottle.com", "bitwise.earthlink.net"}

// challenge knows the filters that answer first contacts by name, and the
// words that the others use.
func challenge(m *message) (Verdict, bool) {
	for _, a := range m.env.From {
		_, domain, _ := strings.Cut(provider.Normalize(a.Addr), "@")
		for _, service := range challengeServices {
			if domain == service || strings.HasSuffix(domain, "."+service) {
				return Verdict{Class: Challenge, Evidence: "From a known challenge service"}, true
			}
		}
	}
	first := firstAddr(m.env.From)
	machine := m.says("Auto-Submitted") || m.nullSender() || strings.HasPrefix(first, "noreply@") || strings.HasPrefix(first, "no-reply@") ||
		strings.HasPrefix(first, "donotreply@") || strings.HasPrefix(first, "antispam@") || strings.HasPrefix(first, "anti-spam@") || provider.IsSystemSender(m.env.From)
	if machine && (challengeWords.has(m.subject) || challengeWords.has(m.text)) {
		return Verdict{Class: Challenge, Evidence: "machine-sent request for confirmation"}, true
	}
	return Verdict{}, false
}

var challengeWords = newPhrasebook(map[string]bool{
	`confirm you are human; confirm that you are human; confirm you're human; prove you are human; prove that you are human; verify that you are human; verify you are human; confirm that you are a real person
	please confirm your message; confirm your email to be delivered; waiting for your verification; to deliver your message, please; click the link below to deliver; challenge-response; your message is being held until; authenticate yourself as a sender
	so i can receive your; so that i can receive your; list of approved senders; approved sender list; senders i have approved; has not been verified; to release your message; to have your message delivered; your message was waitlisted; has been placed on hold; is being held because; awaiting your confirmation; complete this one-time; one-time verification; this one-time
	para que ela seja entregue; confirme o envio; confirmação de envio; confirme su envío; para que su mensaje sea entregado; pour que votre message soit remis; pour que votre message soit délivré; vous authentifier; authentification requise; einmalig zu bestätigen; einmalig bestätigen; damit ihre nachricht zugestellt; danach wird ihre e-mail zugestellt; danach wird ihre nachricht zugestellt; perché il messaggio sia consegnato; confermare l'invio; подтвердите отправку; подтвердите, что вы не робот
	to be added to my approved; request to be added to the allowed; sender verification required; verify your email address so that your message
	bestätigen sie, dass sie ein mensch; bestätigen sie ihre nachricht; confirmer que vous êtes humain; prouver que vous êtes; confirme que es una persona; confirmar que usted es una persona; confermi di essere una persona; confirme que você é humano; bevestig dat u een mens; potwierdź, że jesteś człowiekiem; подтвердите, что вы человек`: true,
})

func firstAddr(as []provider.Address) string {
	if len(as) == 0 {
		return ""
	}
	return provider.Normalize(as[0].Addr)
}
