package optout_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/outreachkit/outreach/provider/optout"
)

// composedWishes are requests for no more mail as people of many countries
// word them, a line each, by language.
var composedWishes = map[string]string{
	"en": `Would you mind taking my name off your list?
Enough. Do not mail me again.
Please refrain from contacting me in the future.
I'm asking you to delete everything you have on me.
No more messages, thank you.
Remove my address from your records.
I have no interest and don't want any more mails.
Please never write to me again.
Take me off this list please
Please delete me from your database
Lose my email address.
Stop sending me these
Quit mailing me
Don't ever email me again
do not email me
Please cease all further communication.
I don't want to hear from you again
Please unsubscribe this address from all future mailings
kindly opt me out
Leave me alone!
Not interested. Pls remove
I'd prefer not to receive any more emails from you.
pls stop spamming me
You don't have permission to contact me, stop it
Remove my details from your system
Erase all personal data you hold about me
I no longer wish to be contacted by your agency.
Please do not send me any more job offers.
Could you please take me off your mailing list? Thanks!
I want to be removed from your mailing list
Please stop.`,
	"de": `Bitte entfernen Sie meine Adresse aus Ihrer Datenbank.
Ich bitte Sie, mich künftig nicht mehr anzuschreiben.
Bitte keine Anfragen mehr.
Verschonen Sie mich mit Ihren Mails.
Bitte streichen Sie mich von Ihrer Liste.
Ich möchte keine weiteren E-Mails von Ihnen erhalten.
Hören Sie auf, mir zu schreiben.
Bitte kontaktieren Sie mich nicht mehr.
Nehmen Sie mich bitte aus dem Verteiler
Abmelden
Bitte sehen Sie von weiteren Anfragen ab.
Ich wünsche keine weitere Kontaktaufnahme.
Bitte löschen Sie alle meine Daten
Unterlassen Sie weitere Zusendungen!
Bitte tragen Sie mich aus Ihrem Verteiler aus
Schicken Sie mir bitte nichts mehr.`,
	"fr": `Merci de retirer mon adresse de vos fichiers.
Je vous prie de ne plus m'écrire.
Merci de ne plus me contacter.
Veuillez me retirer de votre liste de diffusion
Arrêtez de m'écrire.
Désinscription svp
Ne m'envoyez plus de mails
Je ne veux plus recevoir d'emails de votre part
Veuillez supprimer mes données personnelles
Supprimez-moi de votre base.
Merci de cesser tout envoi.`,
	"es": `Por favor, no me envíen más ofertas.
Deseo darme de baja de sus envíos.
Por favor, elimínenme de su lista
No quiero recibir más correos
Dejen de escribirme.
No me contacten más
Por favor borren mis datos
Baja por favor
Quítenme de su lista de correo
Le ruego que no vuelva a escribirme.`,
	"it": `Vi chiedo di non scrivermi più.
Rimuovetemi dal vostro database.
Vi prego di cancellarmi dalla vostra mailing list
Non contattatemi più
Smettetela di scrivermi.
Non voglio più ricevere email
Cancellate i miei dati personali
Toglietemi dalla lista per favore
Disiscrivetemi`,
	"pt": `Por favor não me envie mais e-mails.
Exclua meu e-mail do seu cadastro.
Por favor, retire-me da sua lista
Não quero mais receber e-mails
Parem de me enviar mensagens
Não me contacte mais
Apaguem os meus dados
Favor descadastrar meu e-mail
Gostaria de cancelar a inscrição`,
	"nl": `Graag uit uw bestand verwijderen.
Ik wens niet meer gecontacteerd te worden.
Haal mij van de lijst af.
Stop met mailen.
Neem geen contact meer met mij op
Ik wil geen e-mails meer ontvangen
Verwijder mijn gegevens
Wilt u mij uitschrijven?
Gelieve mij niet meer te mailen.`,
	"pl": `Proszę o usunięcie mojego adresu z bazy.
Proszę o wypisanie mnie z listy
Proszę nie pisać do mnie więcej
Nie życzę sobie dalszych wiadomości
Proszę usunąć moje dane
Proszę przestać wysyłać mi maile`,
	"cs": `Prosím, vyřaďte mě z databáze.
Prosím o vyřazení z vašeho seznamu
Nepřeji si dostávat další e-maily
Už mě prosím nekontaktujte
Smažte prosím moje údaje
Odhlašte mě`,
	"ru": `Пожалуйста, больше не пишите мне.
Удалите меня из рассылки
Прошу больше мне не писать
Не присылайте мне больше писем
Удалите мои персональные данные
Прекратите присылать мне письма`,
	"uk": `Видаліть мене з розсилки
Прошу більше мені не писати
Відпишіть мене`,
	"sv": `Var god ta bort mig från utskicket.
Vänligen ta bort mig från er lista
Sluta mejla mig
Jag vill inte ha fler mejl
Kontakta mig inte igen
Radera mina uppgifter
Avregistrera mig`,
	"no": `Vennligst ikke send meg flere mailer.
Vennligst fjern meg fra listen
Ikke kontakt meg igjen
Jeg vil ikke ha flere eposter
Slutt å sende meg mail
Slett mine opplysninger
Meld meg av`,
	"da": `Send mig venligst ikke flere mails.
Slet mig venligst fra jeres liste
Jeg ønsker ikke flere mails
Stop med at skrive til mig
Kontakt mig ikke igen
Afmeld mig`,
	"fi": `Poistakaa sähköpostini listaltanne.
Poistakaa minut listalta
En halua enempää sähköposteja
Älkää ottako minuun enää yhteyttä
Lopettakaa viestien lähettäminen
Poistakaa tietoni`,
	"tr": `Lütfen e-posta listenizden adımı silin.
Lütfen beni listenizden çıkarın
Bir daha mail atmayın
Artık e-posta almak istemiyorum
Lütfen bana bir daha yazmayın
Kişisel verilerimi silin`,
	"hu": `Kérem, töröljenek a listáról
Ne küldjenek több levelet
Nem szeretnék több e-mailt kapni
Kérem, töröljék az adataimat
Leiratkozom`,
	"ro": `Vă rog să mă ștergeți din listă
Nu doresc să mai primesc emailuri
Nu-mi mai scrieți
Ștergeți datele mele
Dezabonare`,
	"ja": `今後一切連絡しないでください。
リストから削除してください。
今後メールを送らないでください。
もう連絡しないでください。
配信を停止してください
個人情報を削除してください。
メールの送信をやめてください`,
	"zh": `请将我移出邮件列表
请把我从名单中删除
不要再联系我
请停止发送邮件
取消订阅
请删除我的个人信息
以后别再发了`,
	"ko": `이제 메일 보내지 마세요
수신 거부합니다
메일 그만 보내주세요
더 이상 연락하지 마세요
목록에서 삭제해 주세요
제 개인정보를 삭제해 주세요`,
}

// composedOthers are what people write that is no such request.
var composedOthers = `I'd hate to be removed from your list.
Please don't stop sending me jobs.
If my CV is too long, delete my hobbies.
Do not write to me in German, English is better.
Feel free to contact me again in spring.
They asked me to remove them from their list, that's my job.
Please remove the attachment limit.
I hope you never stop emailing me.
I told my last recruiter to stop contacting me, but you seem nice.
Bitte schreiben Sie mir nicht auf Englisch.
Bitte keine Anrufe, E-Mails sind willkommen.
Nehmen Sie mich bitte in den Verteiler auf.
N'hésitez pas à me recontacter.
No dude en escribirme.
Non esiti a contattarmi.
Não hesite em contactar-me.
Aarzel niet om contact op te nemen.
Proszę pisać do mnie po polsku.
Не стесняйтесь писать мне.
Tveka inte att kontakta mig.
遠慮なくご連絡ください。
请随时联系我
Please don't remove me from your list
Don't unsubscribe me, I was only on holiday.
I never unsubscribe from anything
You never stop emailing me, do you? Just kidding, I like it.
Did I ask to be unsubscribed? I did not mean to!
I almost asked you to stop emailing me, but this role is great.
My wife says I should ask you to remove me from your list, but I'm curious.
Please ignore my last mail in which I asked you to remove me.
Sorry, my assistant asked you to stop contacting me. Please go on.
I would never ask you to delete my data.
Why did you remove me from your list?
Was I removed from your list?
How many people unsubscribe per week at your company?
If the salary is below 80k, please don't bother.
No need to stop, I'm just slow.
Please stop me if I'm wrong, but is this remote?
Please remove the comma in my name.
Take me off speaker when you call, please.
I'd like to be taken off the night shift.
Please contact my colleague instead, I am no longer in HR.
Please do not send the contract by fax.
Please don't send me the offer before Friday.
Do not contact my current employer.
Please don't contact my references yet.
No more questions from my side.
Stop by any time!
I can stop at your office on Monday.
Delete the previous version of my CV, here is the new one.
Please delete my old CV and use this one.
Please remove my old phone number, the new one is below.
I do not wish to receive less than my current salary.
We don't want to hear from competitors again, but you are fine.
I don't want to receive the job description by post, mail is fine.
Unsubscribe from my current job? Gladly!
My job is to process opt-outs and erasure requests.
I work on a tool that lets people unsubscribe with one click.
I build the "delete my data" feature at my company.
Bitte nehmen Sie mich nicht aus dem Verteiler.
Ich möchte weitere E-Mails von Ihnen erhalten.
Bitte kontaktieren Sie mich nicht vor Montag.
Bitte kontaktieren Sie mich nicht telefonisch.
Bitte löschen Sie meinen alten Lebenslauf, der neue hängt an.
Ich will nicht, dass Sie aufhören mir zu schreiben.
Bitte melden Sie sich bei mir.
Merci de me contacter plus tard.
Ne me retirez pas de votre liste !
Merci de ne plus m'appeler au bureau, mais par mail oui.
Ne m'appelez pas avant lundi.
No me elimine de su lista, por favor.
No me escriban antes del lunes.
Quiero recibir más correos como este.
Non cancellatemi dalla lista!
Non contattatemi prima di lunedì.
Vorrei ricevere altre email.
Não me retire da lista.
Não me contacte antes de segunda-feira.
Haal mij niet van de lijst.
Neem contact met mij op, graag.
Neem volgende week geen contact met mij op.
Proszę nie usuwać mnie z listy.
Proszę nie dzwonić, wolę maile.
Prosím neodhlašujte mě.
Не удаляйте меня из рассылки.
Пишите мне больше!
Ta inte bort mig från listan.
Kontakta mig inte före måndag.
Ikke fjern meg fra listen.
Fjern mig ikke fra listen.
Älkää poistako minua listalta.
Beni listeden çıkarmayın.
Kérem, ne töröljenek a listáról.
Nu mă ștergeți din listă.
リストから削除しないでください。
もっと連絡してください。
请不要把我从名单中删除
请多联系我
목록에서 삭제하지 마세요
계속 연락해 주세요
I read the unsubscribe policy of my bank today.
To whom it may concern: stop words are my research topic.
The list you sent me is fine, remove me as the owner though.
Please don't hesitate to contact me again.
Do not hesitate to email me.
I do not want to miss any further messages from you.
Never mind my last email, please keep sending.
I have no more emails from you after Tuesday, did you send the details?
There were no more emails in the thread.
Please stop the process for the Lisbon role, but Porto is fine.
Not this one. Please don't send me PHP roles, Go roles are welcome.`

// TestComposed holds the floors for wording that the phrases were not written
// from: of what is found nothing may be wrong, and most must be found.
func TestComposed(t *testing.T) {
	found, all := 0, 0
	for language, lines := range composedWishes {
		missed := 0
		for line := range strings.SplitSeq(lines, "\n") {
			all++
			if f, ok := optout.Find(line); ok {
				found++
				if f.Language != language {
					t.Logf("%q is called %s", line, f.Language)
				}
			} else {
				missed++
				t.Logf("%s missed: %s", language, line)
			}
		}
	}
	wrong, others := 0, 0
	for line := range strings.SplitSeq(composedOthers, "\n") {
		others++
		if f, ok := optout.Find(line); ok {
			wrong++
			t.Logf("wrongly %s in %s: %s", f.Kind, f.Language, line)
		}
	}
	t.Logf("found %d of %d wishes; %d of %d others taken for one", found, all, wrong, others)
	if found*100 < all*95 || wrong > 0 {
		t.Error("below the floor")
	}
}

// TestHostile: no text costs much, however it is made.
func TestHostile(t *testing.T) {
	const n = 2_000_000
	for name, part := range map[string]string{
		"quotation marks": "\"\"", "open quotes": "„", "lines of quotes": "\"a\"\n", "first words": "nehmen sie mich ", "halves": "sehen sie ", "signs": "把我从", "stops": ". ", "lines": "a\n",
		"words": "please remove ", "no text": "\xff\x00", "one word": "a", "apostrophes": "'", "wishes that are none": "don't unsubscribe me ", "capitals": "İ",
	} {
		begin := time.Now()
		f, ok := optout.Find(strings.Repeat(part, n/len(part)))
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%s: %v", name, took)
		} else {
			t.Logf("%s: %v", name, took)
		}
		if ok != (f.Kind != "") || len(f.Sentence) > 300 || !utf8.ValidString(f.Sentence) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
