package quote

import "strings"

// The words that mail programs use, in the languages they are sold in. They
// are what the programs write, collected by looking at mail; vendors do not
// document them.

// set makes a lookup of words separated by "|".
func set(lists ...string) map[string]bool {
	m := make(map[string]bool)
	for _, list := range lists {
		for w := range strings.SplitSeq(list, "|") {
			m[w] = true
		}
	}
	return m
}

// spaced makes phrases to be found in words(s): whole words.
func spaced(lists ...string) []string {
	var out []string
	for _, list := range lists {
		for w := range strings.SplitSeq(list, "|") {
			out = append(out, " "+w+" ")
		}
	}
	return out
}

// writingWords say "wrote".
var writingWords = spaced(
	"wrote|writes|schrieb|schreibt|geschrieben|a écrit|a ecrit|écrit|écrivait|escribió|escribio|ha escrito|escribía",
	"ha scritto|scritto|scrisse|schreef|geschreven|escreveu|pisze|napisał|napisała|napisał a|napisal|napisala|napisal a|napísal|napísala|napísal a|píše|napsal|napsala|napsal a",
	"пишет|писал|написал|написала|написал а|пише|написав|написала|написа|писа|írta|a scris|skrev|skriver|skrifaði|kirjoitti|yazdı|yazmış|έγραψε|έγραψεν",
	"כתב|כתבה|כתב ה|كتب|كتبت|نوشت|đã viết|viết|menulis|rašė|parašė|rakstīja|kirjutas|napisao|napisala|je napisal|piše|va escriure|ha escrit|escribiu|idatzi du|sent the following message")

// writingSigns say it in languages that put no spaces between words.
var writingSigns = []string{"写道", "寫道", "写到", "写了", "書きました", "のメール", "さんは", "からのメッセージ", "작성", "님이 쓴", "썼습니다", "เขียน"}

// personWords are the people of a sentence: whoever writes "on Monday I wrote
// to you at 10:30:" goes on in the author's own words.
var personWords = spaced("i|we|ich|wir|je|nous|j'ai|yo|nosotros|io|noi|ik|wij|eu|nós|ja|я|мы|jeg|jag|vi|minä")

// tellers stand beside the verb where the author tells what they wrote.
var tellers = set("to|me|us|mir|uns|that|dass|que|che|she|they|er|sie|il|elle|ella|hij|он|она|i|i've|we|we've|ich|wir|habe|haben|je|j'ai|nous|avons|yo|he|nosotros|hemos|io|ho|noi|abbiamo|ik|wij|we|heb|hebben|eu|nós|я|мы|ми|jeg|jag|minä")

// relationWords stand before a person who is not named. They are looked for
// in small letters only.
var relationWords = set("my|your|our|his|her|their|the|mein|meine|dein|deine|ihr|ihre|unser|unsere|euer|eure|mon|ma|mes|ton|ta|votre|vos|notre|nos|leur|mi|su|tu|nuestro|nuestra|mio|mia|suo|sua|vostro|vostra|nostro|nostra|mijn|uw|jouw|jullie|onze",
	"meu|minha|seu|nosso|nossa|min|din|vår|er|mój|moja|pana|pani|nasz|nasza|můj|moje|váš|vaše|náš|мой|моя|ваш|ваша|наш|наша|мій|твій|benim|sizin|bizim|meidän|teidän|minun")

// openingWords begin an attribution: "on" and the days of the week.
var openingWords = set(
	"on|at|am|le|el|il|op|em|no|den|dne|dňa|dnia|w|pe|pada|vào|lúc|la|a|às|ao|ter|kl|u|dana|в|на|у|дня|στις|την|στο|בתאריך|ביום|ב|في|بتاريخ|în|tarihinde|from|il giorno|de|data",
	"mon|tue|wed|thu|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday",
	"mo|di|mi|do|fr|sa|so|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag",
	"lun|mar|mer|jeu|ven|sam|dim|mié|jue|vie|sáb|dom|gio|sab|seg|ter|qua|qui|sex",
	"ma|wo|vr|za|zo|man|tir|ons|tor|tors|fre|lør|søn|mån|tis|lör|sön|to|ke|ti|pe|la|su",
	"pon|wt|śr|czw|pt|sob|niedz|ndz|po|út|st|čt|pá|ne|pi|št|ut|пн|вт|ср|чт|пт|сб|вс|нд")

// openingSigns begin one in languages without spaces.
var openingSigns = []string{"在", "于", "於", "昨", "週", "周"}

// originalWords stand between dashes above a mail that is answered.
var originalWords = set(
	"original message|original appointment|ursprüngliche nachricht|originalnachricht|ursprünglicher termin|message d'origine|message original|replied message|mail original|courriel original|correo original|message initial|mensaje original|messaggio originale|oorspronkelijk bericht|origineel bericht",
	"mensagem original|originalmeddelande|ursprungligt meddelande|opprinnelig melding|original melding|oprindelig meddelelse|original meddelelse|alkuperäinen viesti|oryginalna wiadomość|wiadomość oryginalna|původní zpráva|pôvodná správa|eredeti üzenet",
	"mesaj original|mesajul original|исходное сообщение|исходное письмо|оригинальное сообщение|оригінальне повідомлення|вихідне повідомлення|özgün ileti|orijinal mesaj|orjinal mesaj|αρχικό μήνυμα|הודעה מקורית|الرسالة الأصلية|رسالة أصلية",
	"原始邮件|原始信息|原始郵件|原邮件|元のメッセージ|オリジナルメッセージ|original mail|원본 메시지|원본 메일|tin nhắn gốc|thư gốc|pesan asli|izvorna poruka|originalna poruka|missatge original|reply message|reply above this line|antwort nachricht")

// forwardWords stand between dashes above a mail that is sent on.
var forwardWords = set(
	"forwarded message|forwarded by|forwarded mail|weitergeleitete nachricht|weitergeleitete e-mail|message transféré|message transmis|courriel transféré|mensaje reenviado|messaggio inoltrato|doorgestuurd bericht|mensagem encaminhada|mensagem reencaminhada",
	"vidarebefordrat meddelande|vidarebefordrat mejl|videresendt melding|videresendt meddelelse|videresendt besked|välitetty viesti|edelleenlähetetty viesti|przekazana wiadomość|wiadomość przekazana dalej|treść przekazanej wiadomości|přeposlaná zpráva|preposlaná správa|továbbított üzenet|mesaj redirecționat",
	"пересылаемое сообщение|пересланное сообщение|перенаправленное сообщение|переслане повідомлення|iletilen ileti|iletilen mesaj|yönlendirilmiş mesaj|προωθημένο μήνυμα|הודעה שהועברה|رسالة معاد توجيهها|رسالة محولة",
	"转发邮件|转发的邮件|轉寄郵件|轉寄的郵件|転送メッセージ|転送されたメッセージ|전달된 메시지|전달된 메일|thư đã chuyển tiếp|pesan terusan|pesan yang diteruskan|proslijeđena poruka|missatge reenviat")

// forwardOpenings stand alone above one.
var forwardOpenings = set(
	"begin forwarded message|anfang der weitergeleiteten nachricht|anfang der weitergeleiteten e-mail|début du message réexpédié|début du message transféré|inicio del mensaje reenviado|inizio messaggio inoltrato|begin doorgestuurd bericht|início da mensagem reencaminhada|início da mensagem encaminhada",
	"vidarebefordrat brev|påbörja vidarebefordrat meddelande|start på videresendt besked|videresendt melding|välitetty viesti alkaa|rozpoczęcie przesyłanej dalej wiadomości|početak proslijeđene poruke|začátek přeposílané zprávy|začiatok preposlanej správy|továbbított üzenet kezdete",
	"начало переадресованного сообщения|начало переадресованного письма|початок листа, що пересилається|iletilen ileti başlangıcı|下面是被转发的邮件|以下是轉寄的郵件|開始轉寄郵件|転送されたメッセージ|전달된 메시지")

// headLabels are the names of header lines.
var headLabels = labels(map[heads]string{
	headFrom: "frá|از|daripada|saatja|šalje|lähettänyt|from|von|de|da|van|från|fra|lähettäjä|od|odesílatel|odosielateľ|nadawca|от|от кого|від|від кого|kimden|gönderen|feladó|de la|από|发件人|發件人|寄件者|寄件人|差出人|送信者|from/差出人|보낸 사람|보낸사람|발신|" +
		"מאת|من|từ|người gửi|dari|จาก|expéditeur|remitente|mittente|afzender|absender|saatja|nuo|no|šalje|avsändare|avsender|afsender|de:|remetente|enviado por",
	headDate: "изпратено|poslato|enviat|enviat el|enviat a|ارسال|dihantar|išsiųsta|nosūtīts|saadetud|sent|date|gesendet|gesendet am|datum|envoyé|envoyé le|enviado|enviado el|enviado a|enviada em|enviado em|enviada|fecha|data|inviato|inviato il|verzonden|verzonden op|skickat|skickat den|sendt|sendt den|dato|lähetetty|päivämäärä|päiväys|wysłano|wysłane|data wysłania|" +
		"odesláno|odoslané|dátum|отправлено|дата|дата отправки|надіслано|gönderildi|gönderilme tarihi|gönderme tarihi|tarih|elküldve|küldve|trimis|data trimiterii|expediat|στάλθηκε|ημερομηνία|发送时间|发送日期|日期|傳送時間|寄件日期|寄件時間|時間|送信日時|日時|送信日|" +
		"보낸 날짜|날짜|발신일|נשלח|תאריך|تاريخ|التاريخ|تاريخ الإرسال|تم الإرسال|đã gửi|đã gửi vào|ngày|gửi|dikirim|tanggal|วันที่|ส่ง|ส่งเมื่อ|poslano|saadetud|išsiųsta|nosūtīts|date d'envoi|sent on|sent at",
	headTo: "до|za|per a|per|به|adressaat|saaja|to|an|à|a|para|aan|naar|till|til|vastaanottaja|do|komu|adresat|кому|получатель|kime|alıcı|címzett|către|catre|προς|收件人|收件者|宛先|to/宛先|받는 사람|받는사람|수신|אל|إلى|الى|tới|đến|người nhận|kepada|ถึง|destinatario|destinataire|" +
		"destinatário|ontvanger|empfänger|kam|kellele|za|prima|mottagare|mottaker|modtager|příjemce",
	headSubject: "zadeva|tēma|assumpte|efni|موضوع|относно|subject|betreff|objet|sujet|asunto|oggetto|assunto|onderwerp|ämne|emne|aihe|temat|předmět|predmet|тема|konu|tárgy|subiect|θέμα|主题|主題|主旨|件名|제목|נושא|الموضوع|chủ đề|tiêu đề|subjek|perihal|judul|เรื่อง|หัวเรื่อง|teema|tema|naslov",
	headOther: "cc|kopie|kopie an|copie|copie à|kopia|kopi|kopio|copia|cópia|dw|do wiadomości|копия|копія|bilgi|másolatot kap|másolat|κοιν|κοινοποίηση|抄送|副本|ccに|참조|עותק|نسخة|bcc|ccn|cci|cco|reply-to|reply to|antwort an|répondre à|responder a|rispondi a|" +
		"importance|wichtigkeit|priorität|priority|importancia|priorità|attachments|anlagen|pièces jointes|adjuntos|allegati|bijlagen|organization|organisation|resent-from|sender|tembusan|đồng gửi",
})

func labels(of map[heads]string) map[string]heads {
	m := make(map[string]heads)
	for kind, list := range of {
		for name := range strings.SplitSeq(list, "|") {
			m[name] |= kind
		}
	}
	return m
}
