package optout_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/provider/optout"
	"github.com/outreachkit/outreach/provider/quote"
)

// wishes are what people write who want no more mail, by language and kind.
var wishes = []struct {
	kind           optout.Kind
	language, text string
}{
	{optout.Unsubscribe, "en", "Please remove me from your list."},
	{optout.Unsubscribe, "en", "Hi Maria,\n\nkindly take me off\nyour mailing list.\n\nOlga"},
	{optout.Unsubscribe, "en", "unsubscribe"},
	{optout.Unsubscribe, "en", "UNSUBSCRIBE\n\nOlga"},
	{optout.Unsubscribe, "en", "STOP"},
	{optout.Unsubscribe, "en", "Not interested, please unsubscribe me. Thanks"},
	{optout.Unsubscribe, "en", "I’d like to opt out."},
	{optout.Unsubscribe, "en", "Thank you, but please remove me, I am happy where I am."},
	{optout.Unsubscribe, "en", "How do I unsubscribe?"},
	{optout.Stop, "en", "Stop emailing me!"},
	{optout.Stop, "en", "Thanks but no. Please don’t contact me again."},
	{optout.Stop, "en", "I do not wish to receive any further messages from you"},
	{optout.Stop, "en", "No more emails please."},
	{optout.Erase, "en", "Stop contacting me and delete my data. I never agreed to this."},
	{optout.Erase, "en", "Please unsubscribe me. I also want you to delete all my data under the GDPR."},
	{optout.Stop, "de", "Bitte keine weiteren Mails."},
	{optout.Stop, "de", "Ich habe kein Interesse. Bitte schreiben Sie mir nicht mehr!"},
	{optout.Unsubscribe, "de", "Bitte nehmen Sie mich aus Ihrem Verteiler."},
	{optout.Erase, "de", "Löschen Sie bitte meine Daten nach Art. 17 DSGVO."},
	{optout.Unsubscribe, "fr", "Merci de me désinscrire de votre liste."},
	{optout.Stop, "fr", "Je ne souhaite plus recevoir vos messages."},
	{optout.Unsubscribe, "es", "Quiero darme de baja, gracias."},
	{optout.Stop, "es", "Por favor, no me escriban más."},
	{optout.Stop, "it", "Non desidero ricevere altre email."},
	{optout.Unsubscribe, "it", "Per favore cancellatemi dalla lista"},
	{optout.Stop, "pt", "Por favor, não me enviem mais mensagens."},
	{optout.Unsubscribe, "pt", "Removam-me da vossa lista."},
	{optout.Unsubscribe, "nl", "Schrijf mij uit aub."},
	{optout.Stop, "nl", "Graag geen mails meer."},
	{optout.Unsubscribe, "pl", "Proszę mnie usunąć z listy."},
	{optout.Stop, "cs", "Prosím, už mi nepište."},
	{optout.Stop, "ru", "Больше не пишите мне, пожалуйста."},
	{optout.Unsubscribe, "ru", "Отпишите меня от рассылки"},
	{optout.Stop, "uk", "Будь ласка, не пишіть мені."},
	{optout.Unsubscribe, "sv", "Ta bort mig från listan, tack."},
	{optout.Stop, "no", "Jeg ønsker ikke å motta flere e-poster."},
	{optout.Unsubscribe, "da", "Fjern mig fra jeres liste."},
	{optout.Stop, "fi", "Älkää lähettäkö enää viestejä."},
	{optout.Unsubscribe, "tr", "Lütfen beni listeden çıkarın."},
	{optout.Stop, "hu", "Kérem, ne írjanak többet."},
	{optout.Stop, "ro", "Vă rog nu mă mai contactați."},
	{optout.Unsubscribe, "ja", "配信停止をお願いします。"},
	{optout.Stop, "ja", "今後のご連絡は不要です。"},
	{optout.Stop, "zh", "请不要再给我发邮件了。"},
	{optout.Unsubscribe, "zh", "退订"},
	{optout.Unsubscribe, "ko", "수신거부 부탁드립니다."},
	{optout.Stop, "ko", "더 이상 메일 보내지 마세요."},
}

// others are what people write who did not ask for that.
var others = []string{
	"I unsubscribed from that newsletter last week but your offer sounds great.",
	"Please don't stop.", "Please don't stop emailing me, I like your offers.", "Don't remove me from your list, I am only busy.", "Never unsubscribe me :-)",
	"Not interested, thanks.", "No.", "No, thank you, I'm happy where I am.", "Please stop by our office on Thursday.", "I can't stop thinking about your offer.",
	"Please don't contact me at work.", "Please do not contact me until May.", "Don't email me before Monday, I am travelling.", "Do not call me by phone, mail is fine.", "No more emails this week please, I am on holiday.",
	"Please don't contact me unless it is about Lisbon.", "Remove me from consideration for this role, but keep me posted on others.", "I removed the file from your list.", "We stopped emailing our customers last year.",
	"My colleague asked them to remove me from their list.", "What does \"unsubscribe me\" in your mail do?", "Your footer says “reply STOP to unsubscribe me”. Does that work?", "I build unsubscribe pages for a living.", "At the moment I work on opt-out handling and data deletion.",
	"I'd love to talk. The bus stop is next to the office.", "Unsubscribe links are my job.\nI have written about them for ten years.\nI spoke about them.\nI sold them.\nI like them.",
	"Stop.\nHammer time.\nI love this.\nReally, this is a wonderful offer.\nCall me.", "If I am not interested I will ask you to unsubscribe me.",
	"Ich habe mich vom Newsletter abgemeldet, aber Ihr Angebot klingt gut.", "Bitte nicht anrufen, Mails sind besser.", "Ich lösche keine Mails.", "Bitte keine weiteren Mails bis Montag.", "Kein Interesse.", "Schreiben Sie mir gern mehr.",
	"Je ne suis pas intéressé.", "Plus d'informations s'il vous plaît.", "N'arrêtez pas !", "No me interesa.", "Escríbanme más, por favor.", "Non mi interessa.", "Não tenho interesse.", "Geen interesse.", "Nie jestem zainteresowana.", "Мне не интересно.", "Не пишите мне до понедельника.", "Inte intresserad.",
	"興味がありません。", "没有兴趣。", "관심 없습니다.", "", "\n\n", "?", "> unsubscribe me\n\nYes please.",
}

func TestWishes(t *testing.T) {
	languages := make(map[string]bool)
	for _, c := range wishes {
		for what, text := range map[string]string{"": c.text, " after a greeting": "Dear Maria,\n\n" + c.text + "\n\nBest regards", " in capitals": strings.ToUpper(c.text)} {
			if what == " in capitals" && (c.language == "tr" || strings.Contains(c.text, "off\n")) {
				continue // Turkish has capitals of its own, and in capitals no line goes on in lower case
			}
			f, ok := optout.Find(text)
			if !ok && strings.Count(c.text, " ") == 0 && what == " after a greeting" {
				continue // a word counts as all that is said
			}
			if !ok || f.Kind != c.kind || f.Language != c.language {
				t.Errorf("%q%s: %+v, want %s in %s", c.text, what, f, c.kind, c.language)
			}
		}
		languages[c.language] = true
	}
	if len(languages) < 20 {
		t.Errorf("only %d languages are tried", len(languages))
	}
}

func TestOthers(t *testing.T) {
	for _, text := range others {
		for _, s := range []string{text, "Hi Maria,\n\n" + text + "\n\nOlga"} {
			if f, ok := optout.Find(s); ok {
				t.Errorf("%q is taken for a wish: %+v", s, f)
			}
		}
	}
}

// TestOwnFooter holds that the footer of our own mail, quoted below an
// answer or between answers, is nobody's wish.
func TestOwnFooter(t *testing.T) {
	footer := "If you do not wish to receive further mails: please unsubscribe\n> Reply STOP to unsubscribe\n> Please remove me from your list: https://example.com/u"
	for _, text := range []string{
		"Sounds great!\n\nOn Tue, Nov 10, 2026 at 9:14 AM Maria <maria@example.com> wrote:\n> Hi Olga\n> " + footer,
		"On Tue, Nov 10, 2026 at 9:14 AM Maria <maria@example.com> wrote:\n> Interested?\nYes.\n> " + footer + "\nNice footer.",
		"Sounds great!\n\nFrom: Maria <maria@example.com>\nSent: Tuesday, November 10, 2026 9:14 AM\nTo: Olga\nSubject: A role\n\nHi Olga\n" + strings.ReplaceAll(footer, "> ", ""),
	} {
		p := quote.Split(quote.Body{Text: text})
		if f, ok := optout.Find(p.Written()); ok {
			t.Errorf("of\n%s\nthis is taken for a wish: %+v", text, f)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, c := range wishes {
		f.Add(c.text)
	}
	for _, s := range others {
		f.Add(s)
	}
	f.Add("\xff\xfe please remove me \xf0")
	f.Fuzz(func(t *testing.T, text string) {
		found, ok := optout.Find(text)
		if ok != (found.Kind != "") || len(found.Sentence) > 300 || ok && found.Language == "" {
			t.Errorf("%q: %+v, %v", text, found, ok)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	text := strings.Repeat("Thank you for your mail, I will think about it and come back to you next week.\n", 20) + "Best\nOlga"
	b.ReportAllocs()
	for b.Loop() {
		optout.Find(text)
	}
}

func ExampleFind() {
	f, ok := optout.Find("Thanks, but I'm happy where I am. Please don't contact me again.")
	fmt.Println(ok, f.Kind, f.Language)
	fmt.Println(f.Sentence)
	_, ok = optout.Find("I unsubscribed from that newsletter, but your offer sounds great.")
	fmt.Println(ok)
	// Output:
	// true stop en
	// Please don't contact me again.
	// false
}
