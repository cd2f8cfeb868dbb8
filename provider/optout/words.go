package optout

import "strings"

// quotes are the pairs of quotation marks.
var quotes = [][2]string{{"\"", "\""}, {"“", "”"}, {"„", "“"}, {"«", "»"}, {"»", "«"}, {"「", "」"}, {"『", "』"}, {"‘", "’"}}

// phrases are requests. "~" stands between parts with words between them; a
// phrase that begins with "=" is found inside words, for languages that put
// no spaces between them or endings on them.
var phrases = func() []phrase {
	var out []phrase
	add := func(kind Kind, language string, list ...string) {
		for _, p := range list {
			inside := strings.HasPrefix(p, "=")
			var parts []string
			for part := range strings.SplitSeq(strings.TrimPrefix(p, "="), "~") {
				if !inside {
					part = " " + part + " "
				}
				parts = append(parts, part)
			}
			out = append(out, phrase{kind, language, parts, inside})
		}
	}
	add(Erase, "en", "erase all personal data", "delete all personal data", "erase all data", "delete all data you", "erase everything you", "delete everything you", "delete my data", "delete all my data", "delete my personal data", "erase my data", "erase my personal data", "delete my information", "delete all my information", "delete my details", "remove my data", "remove my personal data", "remove my details from your", "remove my information from your", "delete me from your database", "delete me from your system", "right to erasure", "right to be forgotten")
	add(Unsubscribe, "en", "taking my name off", "take my name off", "remove my name from", "my email off your", "my address off your", "not interested pls remove", "not interested please remove", "remove me please", "get me off your", "drop me from your", "strike me from your", "cancel my subscription", "end my subscription", "unsubscribe me", "unsubscribe us", "please unsubscribe", "pls unsubscribe", "like to unsubscribe", "want to unsubscribe", "wish to unsubscribe", "wish to be unsubscribed", "want to be unsubscribed", "like to be unsubscribed", "how do i unsubscribe", "how can i unsubscribe",
		"remove me from your", "remove me from this", "remove me from the list", "remove me from the mailing", "remove me from all", "remove me from any", "remove us from your", "please remove me", "pls remove me", "kindly remove me", "like to be removed", "want to be removed", "wish to be removed",
		"remove my email from", "remove my address from", "remove my email address from", "remove my e mail", "take me off your", "take me off this", "take me off the list", "take us off your", "opt me out", "like to opt out", "want to opt out", "wish to opt out", "i opt out", "please opt out", "i'm opting out", "i am opting out")
	add(Stop, "en", "do not mail me", "don't mail me", "refrain from contacting", "refrain from sending", "refrain from emailing", "refrain from writing", "don't want any more emails", "don't want any more mails", "don't want any more messages", "do not want any more emails", "do not want any more mails", "do not want any more messages", "never write to me", "never mail me", "don't ever email me", "don't ever contact me", "do not ever email me", "do not ever contact me", "don't have permission to contact me", "don't have my permission", "do not have my permission", "quit mailing me", "quit emailing me", "quit contacting me", "quit sending me", "ever email me again", "ever contact me again", "ever write to me again", "cease all further", "cease further", "cease any further", "cease sending", "don't want to hear from you", "do not want to hear from you", "not hear from you again", "prefer not to receive", "rather not receive", "prefer not to be contacted", "permission to contact me", "permission to email me", "no longer wish to be contacted", "no longer want to be contacted", "no longer wish to hear", "no longer want to hear", "have my consent to contact", "stop emailing me", "stop emailing us", "stop mailing me", "stop e mailing me", "stop contacting me", "stop contacting us", "stop messaging me", "stop writing to me", "stop writing me", "stop spamming me", "stop sending me", "stop sending us", "stop sending these", "stop sending emails", "stop these emails", "stop the emails", "stop with the emails", "stop bothering me", "cease all contact", "cease contacting", "cease and desist", "leave me alone",
		"do not contact me", "don't contact me", "dont contact me", "do not email me", "don't email me", "dont email me", "do not e mail me", "don't e mail me", "do not write to me", "don't write to me", "do not send me any more", "don't send me any more", "do not send me any further", "don't send me anymore", "do not send me anymore", "don't message me", "do not message me", "never contact me", "never email me",
		"no more emails", "no more email", "no more e mails", "no more mails", "no more messages", "no further emails", "no further email", "no further messages", "no further contact", "no further communication", "not to be contacted", "not be contacted again", "not wish to be contacted", "not wish to receive", "not want to receive", "don't want to receive", "don't wish to receive", "no longer wish to receive", "no longer want to receive", "not want any more emails", "don't want any more emails", "lose my email", "lose my number")

	add(Erase, "de", "löschen sie meine daten", "lösche meine daten", "löscht meine daten", "meine daten zu löschen", "meine daten löschen", "löschen sie bitte meine", "löschung meiner daten", "löschen sie alle meine daten", "löschen sie alle daten", "meine personenbezogenen daten zu löschen", "löschen sie meine personenbezogenen")
	add(Unsubscribe, "de", "bitte abmelden", "melden sie mich ab", "melden sie mich bitte ab", "melde mich ab", "meldet mich ab", "möchte mich abmelden", "nehmen sie mich~verteiler", "nehmen sie mich~liste", "nimm mich~verteiler", "nehmt mich~verteiler", "nehmt mich~liste", "streichen sie mich~liste", "streichen sie mich~verteiler", "streichen sie mich", "aus dem verteiler nehmen", "aus ihrem verteiler", "aus eurem verteiler", "aus dem verteiler zu", "entfernen sie mich", "entfernen sie meine", "tragen sie mich~aus", "trag mich~aus")
	add(Stop, "de", "nicht mehr anzuschreiben", "nicht mehr zu kontaktieren", "verschonen sie mich", "nicht mehr anschreiben", "sehen sie~von weiteren", "unterlassen sie", "schicken sie mir~nichts mehr", "senden sie mir~nichts mehr", "schick mir~nichts mehr", "nichts mehr von ihnen hören", "keinen kontakt mehr", "lassen sie mich in ruhe", "keine weiteren mails", "keine weiteren e mails", "keine weiteren emails", "keine weiteren nachrichten", "keine weitere mail", "keine weiteren anfragen", "keine weiteren angebote", "keine mails mehr", "keine e mails mehr", "keine emails mehr", "keine nachrichten mehr", "keine anfragen mehr", "keine angebote mehr", "keine werbung mehr", "keine weitere kontaktaufnahme", "schreiben sie mir nicht mehr", "schreiben sie mir bitte nicht mehr", "schreib mir nicht mehr", "schreibt mir nicht mehr", "kontaktieren sie mich nicht", "kontaktieren sie mich bitte nicht", "kontaktiere mich nicht", "nicht mehr kontaktieren", "nicht mehr kontaktiert", "nicht mehr anschreiben", "nicht mehr angeschrieben", "hören sie auf mir", "lassen sie mich in ruhe", "lasst mich in ruhe", "unterlassen sie~mails", "unterlassen sie~zusendung", "unterlassen sie~kontaktaufnahme", "von weiteren mails abzusehen", "von weiteren e mails abzusehen", "von weiteren nachrichten abzusehen")

	add(Erase, "fr", "supprimez mes données", "supprimer mes données", "effacer mes données", "effacez mes données", "suppression de mes données", "effacement de mes données", "supprimer toutes mes données", "droit à l'oubli", "droit à l'effacement")
	add(Unsubscribe, "fr", "désinscrivez moi", "désabonnez moi", "me désinscrire", "me désabonner", "merci de me désinscrire", "retirez moi de", "me retirer de", "retirer mon adresse", "retirez mon adresse", "supprimez moi de", "me supprimer de votre", "supprimer mon adresse", "enlevez moi de", "être retiré de", "être retirée de", "être désinscrit", "être désinscrite")
	add(Stop, "fr", "veux plus recevoir", "plus recevoir d'emails", "plus recevoir de mails", "cesser tout envoi", "cesser vos envois", "cessez vos envois", "laissez moi tranquille", "ne plus me solliciter", "arrêtez de m'écrire", "arrêtez de m'envoyer", "arrêtez de me contacter", "arrêtez de me solliciter", "cessez de m'écrire", "cessez de me contacter", "cessez de m'envoyer", "cesser de me contacter", "cesser de m'écrire", "cesser de m'envoyer", "ne me contactez plus", "ne m'écrivez plus", "ne plus me contacter", "ne plus m'écrire", "ne plus m'envoyer", "ne m'envoyez plus", "ne plus être contacté", "ne plus être contactée", "ne plus recevoir", "ne souhaite plus recevoir", "ne souhaite plus être", "plus de mails", "plus aucun mail", "plus aucun message", "stop aux mails", "laissez moi tranquille")

	add(Erase, "es", "borren mis datos", "borre mis datos", "borrar mis datos", "borra mis datos", "eliminen mis datos", "elimine mis datos", "elimina mis datos", "eliminar mis datos", "eliminación de mis datos", "supriman mis datos", "derecho al olvido", "derecho de supresión")
	add(Unsubscribe, "es", "darme de baja", "deme de baja", "denme de baja", "dadme de baja", "dame de baja", "quiero darme de baja", "quiero la baja", "solicito la baja", "elimíneme de", "elimínenme de", "elimíname de", "eliminarme de", "quítenme de", "quíteme de", "quitarme de", "bórrenme de", "bórreme de", "sáquenme de", "sáqueme de", "cancelen mi suscripción", "cancelar mi suscripción")
	add(Stop, "es", "no me escriban más", "no me escriba más", "no me escribas más", "no me contacten", "no me contacte", "no me contactes", "no me envíen más", "no me envíe más", "no me envíes más", "no me manden más", "no me mandes más", "dejen de escribirme", "deje de escribirme", "deja de escribirme", "dejen de enviarme", "deje de enviarme", "deja de enviarme", "dejen de contactarme", "deje de contactarme", "no más correos", "no más mensajes", "no más emails", "no quiero recibir", "no deseo recibir", "no deseo ser contactado", "no deseo ser contactada", "no quiero que me contacten", "no vuelvan a contactarme", "no vuelva a contactarme", "no vuelvan a escribirme", "no vuelva a escribirme", "déjenme en paz")

	add(Erase, "it", "cancellate i miei dati", "cancelli i miei dati", "cancellare i miei dati", "cancella i miei dati", "eliminate i miei dati", "eliminare i miei dati", "elimini i miei dati", "cancellazione dei miei dati", "diritto all'oblio")
	add(Unsubscribe, "it", "cancellatemi", "mi cancelli", "cancellarmi", "disiscrivetemi", "disiscrivermi", "disiscrivimi", "mi disiscriva", "rimuovetemi", "rimuovermi", "rimuovimi", "mi rimuova", "toglietemi", "togliermi dalla", "mi tolga", "annullare l'iscrizione")
	add(Stop, "it", "non contattatemi", "non mi contatti", "non mi contattate", "non contattarmi", "non scrivetemi", "non mi scriva più", "non mi scrivete", "non scrivermi", "non inviatemi", "non mi inviate", "non mi mandate", "non mandatemi", "smettete di scrivermi", "smettetela di", "smetta di scrivermi", "smettete di contattarmi", "smetta di contattarmi", "non desidero ricevere", "non voglio ricevere", "non voglio più ricevere", "non desidero più ricevere", "non desidero essere contattato", "non desidero essere contattata", "non voglio essere contattato", "non voglio essere contattata", "niente più mail", "niente più email", "basta mail", "basta email")

	add(Erase, "pt", "apaguem os meus dados", "apague meus dados", "apaguem meus dados", "apagar os meus dados", "apagar meus dados", "eliminem os meus dados", "eliminar os meus dados", "excluir meus dados", "excluam meus dados", "exclua meus dados", "remover meus dados", "direito ao esquecimento")
	add(Unsubscribe, "pt", "exclua meu e mail", "exclua meu email", "excluam meu e mail", "exclua me", "me exclua", "cancelar a inscrição", "cancelar a minha inscrição", "anular a subscrição", "remova me", "removam me", "me remova", "me remover", "remover me da", "retire me da", "me retire", "me retirem", "tire me da", "me tire da", "me tirem da", "me descadastre", "descadastrar meu", "quero me descadastrar", "cancelar a minha subscrição", "cancelar minha inscrição", "cancelem a minha subscrição", "meu e mail da lista", "meu email da lista")
	add(Stop, "pt", "não me contacte", "não me contactem", "não me contate", "não me contatem", "não me escreva", "não me escrevam", "não me envie mais", "não me enviem mais", "não me mande mais", "não me mandem mais", "pare de me", "parem de me", "parem de enviar", "pare de enviar", "deixem de me", "não quero receber", "não desejo receber", "não quero mais receber", "não desejo mais receber", "não pretendo receber", "não quero ser contactado", "não quero ser contactada", "não quero ser contatado", "não quero ser contatada", "sem mais e mails", "chega de e mails", "chega de emails")

	add(Erase, "nl", "verwijder mijn gegevens", "verwijdert u mijn gegevens", "mijn gegevens te verwijderen", "mijn gegevens verwijderen", "wis mijn gegevens", "recht om vergeten te worden")
	add(Unsubscribe, "nl", "schrijf mij uit", "schrijf me uit", "mij uitschrijven", "me uitschrijven", "mij uit te schrijven", "me uit te schrijven", "meld mij af", "meld me af", "mij afmelden", "me afmelden", "haal mij van", "haal me van", "haalt u mij van", "verwijder mij", "verwijder me", "mij te verwijderen", "van uw lijst", "van jullie lijst", "van de mailinglijst", "uit uw bestand")
	add(Stop, "nl", "niet meer gecontacteerd", "niet meer gemaild", "niet meer aan te schrijven", "geen mails meer", "geen mail meer", "geen e mails meer", "geen e mail meer", "geen emails meer", "geen berichten meer", "geen verdere mails", "stop met mailen", "stop met het sturen", "stop met mij", "stop met me", "stopt u met", "mail mij niet meer", "mail me niet meer", "benader mij niet", "benader me niet", "neem geen contact meer", "niet meer benaderd", "niet meer te benaderen", "niet meer te mailen", "niet meer benaderen", "wil geen~meer ontvangen", "laat mij met rust", "laat me met rust")

	add(Erase, "pl", "usunięcie moich danych", "usunąć moje dane", "proszę usunąć moje", "usuńcie moje dane", "prawo do bycia zapomnianym")
	add(Unsubscribe, "pl", "proszę mnie wypisać", "proszę o wypisanie", "wypiszcie mnie", "wypisać mnie", "proszę mnie usunąć", "usunięcie mnie z", "usuńcie mnie z", "usunąć mnie z", "usunięcie mojego adresu", "usunąć mój adres", "skreślić mnie")
	add(Stop, "pl", "przestać wysyłać", "przestać pisać", "przestać do mnie pisać", "nie chcę więcej", "proszę do mnie nie pisać", "proszę nie pisać", "proszę więcej nie pisać", "proszę się ze mną nie kontaktować", "proszę o niekontaktowanie", "nie życzę sobie", "proszę nie wysyłać", "proszę nie przysyłać", "proszę mi nie wysyłać", "proszę więcej nie wysyłać", "nie piszcie do mnie", "nie wysyłajcie mi", "nie chcę otrzymywać", "nie chcę dostawać", "przestańcie pisać", "przestańcie wysyłać", "żadnych więcej maili")

	add(Erase, "cs", "smažte prosím", "vymažte prosím mé", "smažte všechny mé", "vymažte mé údaje", "smažte mé údaje", "smažte moje údaje", "vymazat mé údaje", "výmaz mých údajů", "výmaz osobních údajů")
	add(Unsubscribe, "cs", "vyřazení z", "vyřadit z", "odhlašte mě", "odhlašte mne", "odhlaste mě", "odhlásit mě", "chci se odhlásit", "vyřaďte mě", "odstraňte mě", "vymažte mě z", "smažte mě z", "vyškrtněte mě")
	add(Stop, "cs", "mě~nekontaktujte", "nekontaktujte mne", "nechte mě na pokoji", "další e maily si nepřeji", "nepište mi", "už mi nepište", "neposílejte mi", "už mi neposílejte", "nekontaktujte mě", "nepřeji si dostávat", "nepřeji si být kontaktován", "nechci dostávat", "přestaňte mi psát", "přestaňte mi posílat", "žádné další e maily", "žádné další maily")

	add(Erase, "ru", "удалите мои данные", "удалить мои данные", "удалите мои персональные данные", "удалить мои персональные данные", "удаление моих данных")
	add(Unsubscribe, "ru", "отпишите меня", "прошу отписать", "хочу отписаться", "как отписаться", "удалите меня из", "удалите мой адрес", "удалите мою почту", "уберите меня из", "исключите меня из", "вычеркните меня")
	add(Stop, "ru", "больше мне не писать", "мне не писать", "не писать мне", "не беспокойте меня", "больше не беспокоить", "не пишите мне", "больше не пишите", "не пишите больше", "не присылайте", "не шлите", "прекратите мне писать", "прекратите писать", "прекратите присылать", "прекратите рассылку", "прекратите слать", "перестаньте писать", "перестаньте мне писать", "перестаньте присылать", "не беспокойте меня", "больше не беспокойте", "не хочу получать", "не желаю получать", "не связывайтесь со мной", "оставьте меня в покое")

	add(Erase, "uk", "видаліть мої дані", "видалити мої дані")
	add(Unsubscribe, "uk", "відпишіть мене", "хочу відписатися", "видаліть мене з", "видаліть мою адресу", "приберіть мене з")
	add(Stop, "uk", "мені не писати", "не писати мені", "більше не писати", "не пишіть мені", "більше не пишіть", "не надсилайте", "припиніть писати", "припиніть надсилати", "припиніть розсилку", "не хочу отримувати", "не турбуйте мене", "не зв'язуйтеся зі мною")

	add(Erase, "sv", "radera mina uppgifter", "ta bort mina uppgifter", "radera mina personuppgifter")
	add(Unsubscribe, "sv", "avregistrera mig", "avprenumerera mig", "ta bort mig från", "stryk mig från", "vill avregistrera", "vill bli borttagen")
	add(Stop, "sv", "sluta maila mig", "sluta mejla mig", "sluta kontakta mig", "sluta skicka", "sluta skriva till mig", "maila mig inte", "mejla mig inte", "kontakta mig inte", "skicka inte fler", "skicka inga fler", "inga fler mail", "inga fler mejl", "inga mer mail", "vill inte ha fler", "vill inte få fler", "vill inte bli kontaktad", "undanber mig")

	add(Erase, "no", "slett mine data", "slett mine opplysninger", "slette mine opplysninger", "slett mine personopplysninger", "slette mine personopplysninger")
	add(Unsubscribe, "no", "meld meg av", "vil melde meg av", "fjern meg fra", "stryk meg fra", "ta meg av listen", "ta meg vekk fra")
	add(Stop, "no", "slutt å sende", "slutt å maile meg", "slutt å kontakte meg", "ikke kontakt meg", "ikke send meg flere", "ikke send flere", "ingen flere mail", "ingen flere e poster", "ønsker ikke flere", "ønsker ikke å motta", "ønsker ikke å bli kontaktet", "vil ikke ha flere", "vil ikke motta")

	add(Erase, "da", "slet mine data", "slet mine oplysninger", "slette mine oplysninger", "slet mine personoplysninger")
	add(Unsubscribe, "da", "slet mig~liste", "fjern mig~liste", "afmeld mig", "vil gerne afmeldes", "vil afmeldes", "fjern mig fra", "slet mig fra", "tag mig af listen", "vil gerne fjernes")
	add(Stop, "da", "stop med at sende", "stop med at skrive", "stop med at kontakte", "skriv ikke til mig", "kontakt mig ikke", "send mig ikke flere", "send ikke flere", "ingen flere mails", "ikke flere mails", "ønsker ikke flere", "ønsker ikke at modtage", "ønsker ikke at blive kontaktet", "vil ikke modtage", "vil ikke have flere")

	add(Erase, "fi", "poistakaa tietoni", "poista tietoni", "tietojeni poistamista")
	add(Unsubscribe, "fi", "poistakaa sähköpostini", "poistakaa sähköpostiosoitteeni", "poistakaa minut", "poista minut", "haluan perua tilauksen", "perukaa tilaukseni", "poistakaa osoitteeni", "poista osoitteeni")
	add(Stop, "fi", "en halua enempää", "en halua enää", "älkää ottako minuun", "älä ota minuun", "jättäkää minut rauhaan", "älkää lähettäkö", "älä lähetä", "lopettakaa viestien", "lopettakaa sähköpostien", "älkää ottako yhteyttä", "älä ota yhteyttä", "en halua enää viestejä", "en halua vastaanottaa", "en halua saada", "ei enää viestejä", "ei enää sähköposteja")

	add(Erase, "tr", "verilerimi silin", "verilerimi siliniz", "kişisel verilerimi silin", "kişisel verilerimin silinmesini", "verilerimin silinmesini")
	add(Unsubscribe, "tr", "listenizden adımı", "adımı listenizden", "listenizden silin", "beni listeden çıkarın", "beni listenizden çıkarın", "listenizden çıkarın", "listeden çıkarın", "listenizden çıkarmanızı", "aboneliğimi iptal", "abonelikten çıkmak istiyorum")
	add(Stop, "tr", "bir daha mail", "bir daha yazmayın", "bir daha e posta", "bir daha aramayın", "bana mail atmayın", "bana e posta göndermeyin", "bana mail göndermeyin", "mail atmayı bırakın", "göndermeyi bırakın", "artık mail atmayın", "artık yazmayın", "bana yazmayın", "benimle iletişime geçmeyin", "rahatsız etmeyin", "almak istemiyorum")

	add(Erase, "hu", "töröljék az adataimat", "törölje az adataimat", "adataim törlését")
	add(Unsubscribe, "hu", "iratkoztassanak le", "iratkoztasson le", "le szeretnék iratkozni", "szeretnék leiratkozni", "töröljenek a listáról", "vegyenek le a listáról", "töröljenek a listájukról")
	add(Stop, "hu", "ne írjanak", "ne írjon többet", "ne küldjenek", "ne küldjön többet", "ne keressenek", "nem szeretnék több", "nem kérek több")

	add(Erase, "ro", "ștergeți datele mele", "stergeti datele mele", "ștergerea datelor mele")
	add(Unsubscribe, "ro", "mă ștergeți din", "ma stergeti din", "să mă scoateți din", "dezabonați mă", "dezabonati ma", "vreau să mă dezabonez", "vreau sa ma dezabonez", "ștergeți mă din", "stergeti ma din", "eliminați mă din", "scoateți mă din")
	add(Stop, "ro", "nu doresc să mai primesc", "nu vreau să mai primesc", "nu mai vreau să primesc", "nu mă mai contactați", "nu ma mai contactati", "nu îmi mai scrieți", "nu imi mai scrieti", "nu mi mai scrieți", "nu mi mai trimiteți", "nu îmi mai trimiteți", "nu mai doresc să primesc", "nu doresc să primesc")

	add(Erase, "ja", "=個人情報を削除して", "=個人情報の削除を", "=データを削除して", "=データの削除を")
	add(Unsubscribe, "ja", "=配信を停止して", "=配信停止を希望", "=配信停止をお願い", "=配信停止して", "=配信停止お願い", "=リストから削除して", "=リストから外して", "=リストから除外して", "=購読を解除")
	add(Stop, "ja", "=送信をやめて", "=配信をやめて", "=連絡をやめて", "=送るのをやめて", "=メールを送らないで", "=メールは不要です", "=今後のご連絡は不要", "=今後の連絡は不要", "=今後ご連絡は不要", "=連絡しないでください", "=連絡はお控えください", "=ご連絡はお控え", "=ご連絡をお控え", "=今後のメールは", "=メールを停止して", "=メールの送信を停止", "=メールを止めて", "=送信しないで")

	add(Erase, "zh", "=删除我的个人信息", "=删除我的信息", "=删除我的数据", "=刪除我的個人資料", "=刪除我的資料")
	add(Unsubscribe, "zh", "=移出邮件列表", "=将我移出", "=把我移出", "=将我移除", "=把我移除", "=请帮我退订", "=请退订", "=我要退订", "=我想退订", "=取消订阅", "=取消訂閱", "=請取消訂閱", "=把我从列表", "=把我从名单", "=将我从列表", "=将我从名单", "=把我的邮箱删除", "=從名單中移除", "=从名单中移除", "=从邮件列表中删除", "=从邮件列表中移除")
	add(Stop, "zh", "=别再发", "=別再發", "=不要再发", "=不要再發", "=不要再给我发", "=请不要再发", "=请勿再发", "=别再给我发", "=不要再发邮件", "=不要再联系我", "=请勿再联系", "=请不要联系我", "=请停止发送", "=停止给我发", "=請不要再寄", "=請勿再寄", "=不要再寄", "=不要再聯絡我", "=請勿再聯絡", "=不想再收到", "=不希望再收到")

	add(Erase, "ko", "=개인정보를 삭제", "=개인정보 삭제를", "=제 정보를 삭제", "=내 정보를 삭제", "=데이터를 삭제해")
	add(Unsubscribe, "ko", "=수신거부합니다", "=수신 거부합니다", "=수신거부 부탁", "=수신 거부 부탁", "=수신거부 해", "=구독을 취소", "=구독 취소", "=목록에서 삭제해", "=명단에서 삭제해", "=리스트에서 삭제해", "=목록에서 제외해", "=명단에서 제외해")
	add(Stop, "ko", "=메일을 보내지 마", "=메일 보내지 마", "=연락하지 마", "=연락 주지 마", "=연락을 원하지 않", "=메일을 받고 싶지 않", "=메일 수신을 원하지", "=더 이상 보내지 마", "=그만 보내", "=메일을 그만")
	return out
}()

// byFirst finds the phrases that begin with a word, in their order.
var byFirst = func() map[string][]int {
	m := make(map[string][]int)
	for i, p := range phrases {
		if first, _, _ := strings.Cut(strings.TrimSpace(p.parts[0]), " "); !p.inside {
			m[first] = append(m[first], i)
		}
	}
	return m
}()

// alone are words that are a request only as all that is said.
var alone = func() map[string]phrase {
	m := make(map[string]phrase)
	for language, list := range map[string]string{
		"en": "pls remove|remove pls|pls stop|pls unsubscribe|unsubscribe pls|unsubscribe|stop|stop please|please stop|remove|remove me|opt out|optout|unsubscribe please|take me off|please remove|end|no more|leave me alone|stop this|stop it|stop spam|stop spamming|unsubscribe all|not interested unsubscribe|remove please",
		"de": "abmelden|abmeldung|austragen|abbestellen|bitte austragen|bitte abbestellen|bitte löschen|stopp|keine werbung",
		"fr": "désabonner|désinscription|désabonnement|se désabonner|désinscrire|stop merci|désinscription svp",
		"es": "baja por favor|por favor baja|baja gracias|baja|dar de baja|cancelar suscripción|darse de baja|basta",
		"it": "cancellami|disiscrivimi|disiscrizione|rimuovimi|cancellazione",
		"pt": "descadastrar|remover|cancelar inscrição|sair da lista|cancelar subscrição",
		"nl": "uitschrijven|afmelden|graag uitschrijven|graag afmelden|uitschrijven aub",
		"pl": "wypisz|wypisz mnie|rezygnuję|proszę wypisać|usuń mnie",
		"cs": "odhlásit|odhlaste|odhlásit odběr",
		"ru": "отписаться|отписка|отпишите|стоп",
		"uk": "відписатися|відпишіть",
		"sv": "avregistrera|avsluta prenumeration|avprenumerera",
		"no": "meld av|avmeld|avslutt abonnement",
		"da": "afmeld|frameld",
		"fi": "poista|peruuta tilaus",
		"tr": "abonelikten çık|listeden çık|iptal",
		"hu": "leiratkozás|leiratkozom",
		"ro": "dezabonare|dezabonează mă",
		"ja": "配信停止|配信解除|購読解除",
		"zh": "退订|退訂|取消订阅|取消訂閱|td",
		"ko": "수신거부|수신 거부|구독취소",
	} {
		for w := range strings.SplitSeq(list, "|") {
			m[w] = phrase{kind: Unsubscribe, language: language}
		}
	}
	return m
}()

// turning are words before a phrase that make it the opposite, or a report.
var turning = spaced("recruiter to|employer to|manager to|told him|told her|in den|in ihren|in die|in euren|almost asked you to|almost asked you|assistant asked|assistant asked you to|should ask you to|never ask you to|did you|why did you|don't|dont|do not|never|didn't|did not|not to|no need to|needn't|won't|wouldn't|instead of|if|unless|nicht|kein grund|falls|wenn|ne pas|sans|si|sin|non|se|niet|als|nie|nei|ikke|inte|не|если|якщо|asked them to|told them to|asked him to|asked her to|them to|him to|her to|they should|colleague to|boss to|friends to|afraid to|reason to|plan to|going to|forgot to|sorry that you|without|will ask you to|i'll ask you to|i'd ask you to")

// limits are words after a phrase that ask for less than to stop.
var limits = spaced("in german|in english|in french|in spanish|in italian|in capitals|auf englisch|auf deutsch|en inglés|en anglais|in het engels|less than|fewer than|by post|by fax|by letter|per post|per brief|per fax|until|till|unless|before|during|at work|by phone|by telephone|on the phone|on my mobile|on weekends|at weekends|this week|today|tonight|tomorrow|next week|in cc|twice|duplicates|the same|but keep|but please keep|but do keep|but continue|but please do|but i'd love|but i would love|but i am interested|but i'm interested|but yes|but feel free to|from consideration|from the process|from this process|from the meeting|from the invite|from the call|from the cc|" +
	"bis|vor|während|telefonisch|per telefon|am wochenende|diese woche|heute|morgen|doppelt|sondern|außer|es sei denn|mehr als|jusqu'à|jusqu'au|avant|pendant|par téléphone|le week end|cette semaine|aujourd'hui|sauf|hasta|antes|durante|por teléfono|esta semana|hoy|salvo|fino a|fino al|prima di|durante|per telefono|questa settimana|oggi|salvo|até|antes|por telefone|esta semana|hoje|exceto|tot|voor|tijdens|telefonisch|deze week|vandaag|tenzij|do poniedziałku|przed|telefonicznie|dzisiaj|до|пока|сегодня|по телефону|кроме|före|innan|tills|idag|før|inntil|indtil|i dag")

// refusals stand right before a phrase and turn it, in languages where the
// same words are no phrase of their own: "não me retire da lista".
var refusals = spaced("não|nao|non|ne|nu|не|nie|ei|have|had|were|are|was|got|find|found|saw|see")

// refusalsInside are those of scripts without spaces.
var refusalsInside = []string{"不要", "别", "別", "勿", "不想", "沒有", "没有"}

func spaced(list string) []string {
	var out []string
	for w := range strings.SplitSeq(list, "|") {
		out = append(out, " "+w+" ")
	}
	return out
}
