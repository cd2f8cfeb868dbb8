package quote

// sentPhrase is the part of a program's line that says "sent from".
type sentPhrase struct {
	phrase string
	first  bool     // it begins the line
	last   bool     // it ends the line, after the device
	app    bool     // it is said of a program, and never of a telephone
	also   []string // with one of these in the line too
}

// sentPhrases are found in words(line).
var sentPhrases = func() []sentPhrase {
	var out []sentPhrase
	for _, p := range spaced(
		"sent from|sent via|sent with|sent using|gesendet von|gesendet mit|gesendet über|diese nachricht wurde von|diese nachricht wurde mit|envoyé de|envoyé depuis|envoyé à partir de|envoyé à partir d'un|envoyé avec|envoyé via",
		"enviado desde|enviado con|enviado do|enviado de|enviado a partir|enviado por|enviado via|inviato da|inviato dal|inviato con|inviato tramite|verstuurd vanaf|verzonden vanaf|verstuurd met|verzonden met|verzonden via",
		"skickat från|skickat med|sendt fra|sendt med|lähetetty|wysłane z|wysłano z|wysłane przy użyciu|odesláno z|odoslané z|odoslané|elküldve|küldve|trimis de pe|trimis din",
		"отправлено с|отправлено из|отправлено|надіслано з|στάλθηκε από|נשלח מ|נשלח מה|أرسلت من|تم الإرسال من|أُرسلت من|được gửi từ|đã gửi từ|dikirim dari|poslano s|poslano z|poslano iz|saadetud minu|trimis cu|enviat des del") {
		out = append(out, sentPhrase{phrase: p, first: true})
	}
	for _, p := range spaced("get|obtenez|télécharger|obtener|obtenha|ottieni|scarica|download|hent|hämta|få|hanki|pobierz") {
		out = append(out, sentPhrase{phrase: p, first: true, app: true})
	}
	for _, p := range spaced("gesendet|gönderildi|küldve|elküldve|küldött üzenet") {
		out = append(out, sentPhrase{phrase: p, last: true})
	}
	// Languages without spaces: words keeps them in one piece.
	for _, p := range []string{"から送信 ", "にて送信 ", "より送信 ", "에서 보냄 ", "에서 보낸 메일 ", "发送 ", "傳送 "} {
		out = append(out, sentPhrase{phrase: p, last: true})
	}
	for _, p := range []string{" 发自我的", " 來自我的", " 發自我的", " 寄自我的"} {
		out = append(out, sentPhrase{phrase: p, first: true})
	}
	for _, p := range []string{" 从我的", " 나의", " 내"} {
		out = append(out, sentPhrase{phrase: p, first: true, also: []string{"发送", "寄", "보냄", "보낸"}})
	}
	for _, p := range spaced("von meinem|von meiner") {
		out = append(out, sentPhrase{phrase: p, first: true, also: []string{" gesendet ", " geschickt ", " versendet "}})
	}
	return out
}()

// devices are found in words(line); some languages add an ending to them.
var devices = []string{" iphone", "iphone", " iphonu", " iphonie", " ipad", "ipad", " android", "android", " blackberry", " galaxy", " samsung", " huawei", " xiaomi", " redmi", " pixel", " oneplus", " nokia", " sony xperia", " motorola",
	" mobile phone", " mobile device", " mobile", " cell phone", " smartphone", " phone", " handy", " mobiltelefon", " mobilgerät", " téléphone", " mobil", " móvil", " celular", " telemóvel", " cellulare", " telefoon", " mobiel", " telefon", " телефона", " смартфона",
	" windows phone", " mail for windows", " windows mail", " mail für windows", " courrier pour windows", " outlook", " yahoo mail", " yahoo", " gmx", " web de", " proton mail", " protonmail", " k 9 mail", " tutanota", " tuta", " spark", " superhuman", " mailspring", " shortwave", " mimestream", " canary", " missive", " em client", " emclient", " roundcube", " airmail", " mailbird", " thunderbird", " почты mail", " яндекс почты",
	" apple watch", " macbook", " mac", " bluemail", " blue mail", " edison", " fairemail", " zoho mail", " email app", " mail app", " gmail mobile", " verizon", " t mobile", " at t", " boxer", " hey com", "手机", "手機", "スマートフォン", "휴대폰"}

// apps are the devices that are programs.
var apps = []string{" outlook", " yahoo", " gmx", " web de", " proton", " tuta", " spark", " airmail", " mailbird", " thunderbird", " bluemail", " blue mail", " edison", " fairemail", " zoho mail", " mail app", " gmail", " hey com", " windows mail", " mail for windows", " boxer"}

// deviceWords may follow the device: more of its name, or of the program's.
var deviceWords = set("app|apps|mobile|phone|handset|handheld|smartphone|tablet|device|mail|email|e|secure|client|for|für|pour|para|per|voor|för|til|dla|на|для|on|auf|sur|en|su|na|my|meinem|mon|mi|ios|android|windows|version|the|network|netz|de|di|du|da|do|lte|powered|by|pro|max|plus|mini|ultra|note|air|se|fold|flip|edge",
	"gerät|gesendet|geschickt|versendet|verschickt|telefon|telefoon|cellulare|mobiltelefon|mobil|móvil|samsung|galaxy|iphone|ipad|outlook|yahoo|gmx|a|s|z|u|от|с|почты|mail ru|ru|com|free|desktop|mac|apple|google|and|und|et|y|e|i|og|och|aus|über|ile|kullanarak|gönderildi|by|wireless|verizon|at|t|mobile|sprint|vodafone|orange|telekom|get|yours|it|now|using|via|z|ze|mój|mojego")

// excuses may follow the device.
var excuses = spaced("excuse|typos|brevity|sorry|forgive|pardon|autocorrect|errors|mistakes|spelling|tippfehler|fautes|errores|errori|tikfouten|kürze|brièveté")

// firstPerson words are not in notices, which speak of the sender.
var firstPerson = spaced("i|my|me|i'm|i'd|ich|mein|meine|mich|j'ai|mon|ma|yo|mi|mio|mia|ik|mijn|eu|meu|minha|я|мой|jag|jeg|min")

// errorSigns are of mail that came to the wrong one.
var errorSigns = []string{"in error", "by mistake", "irrtümlich", "versehentlich", "par erreur", "por error", "per errore", "per sbaglio", "por engano", "por erro", "ten onrechte", "abusievelijk", "per abuis", "pomyłk", "omyłk", "ошибочно", "по ошибке", "помилк",
	"av misstag", "ved en feil", "ved en fejl", "ved feil", "erehdys", "vahingossa", "yanlışlıkla", "omylem", "tévedés", "din eroare", "由于错误", "误收", "誤って", "잘못"}

// askingWords are of a person who asks for secrecy.
var askingWords = spaced("please|thanks|thank you|you|your|bitte|danke|veuillez|merci|vous|votre|por favor|gracias|usted|per favore|grazie|alsjeblieft|bedankt|obrigado|obrigada")

// noticeGroups are what legal notices speak of. The first is the one that
// people's own words hardly ever have: whom the mail is meant for.
var noticeGroups = [][]string{
	{"intended recipient", "intended only for", "intended solely", "solely for the", "addressee", "named recipient", "bestimmungsgemäße", "vorgesehene empfänger", "richtige adressat", "adressat sind", "adressaten", "richtige empfänger", "destinataire", "destinataires", "destinatario", "destinatari", "destinatário", "geadresseerde", "bestemd voor",
		"adresata", "adresatem", "adresat", "адресат", "получател", "mottagare", "mottaker", "modtager", "vastaanottaja", "alıcı", "určena", "címzett", "destinatarul", "收件人", "宛先", "수신인", "수신자"},
	{"confidential", "privileged", "proprietary", "vertraulich", "confidentiel", "confidencial", "riservat", "riservate", "vertrouwelijk", "poufn", "конфиденциал", "konfidentiel", "konfidentiell", "fortrolig", "luottamuksel", "gizli", "důvěrn", "bizalmas", "confidențial", "机密", "保密", "機密", "기밀"},
	{"delete", "notify the sender", "inform the sender", "destroy", "löschen", "vernichten", "supprimer", "détruire", "eliminar", "eliminarlo", "borrar", "cancellar", "distrugger", "verwijder", "vernietig", "usun", "удалит", "radera", "slett", "poista", "siliniz", "silin", "smazat", "smažte", "törölje", "apagar", "apague", "删除", "削除", "삭제"},
	{"unauthori", "prohibited", "disclos", "disseminat", "unlawful", "unbefugt", "nicht gestattet", "untersagt", "interdit", "non autorisé", "prohibid", "no autorizad", "vietat", "non autorizzat", "proibid", "verboden", "niet toegestaan", "zabronione", "запрещ", "förbjud", "forbudt", "kielletty", "yasak", "zakázán", "tilos", "禁止", "금지"},
	{"this e-mail", "this email", "this message", "this communication", "diese e-mail", "diese nachricht", "dieser e-mail", "dieser nachricht", "ce message", "ce courriel", "cet e-mail", "este mensaje", "este correo", "questo messaggio", "presente messaggio", "informazioni contenute", "dit bericht", "deze e-mail", "esta mensagem", "este e-mail", "wiadomość", "сообщение", "письмо", "meddelande", "melding", "viesti", "bu e-posta", "bu ileti", "tato zpráva", "üzenet", "本邮件", "本メール", "이 메일"},
}

// scannerSigns are lines that scanners, gateways and printers' friends add.
var scannerSigns = []string{
	"virus-free.", "virenfrei.", "sans virus.", "libre de virus.", "checked for viruses by", "auf viren geprüft", "scanned by mailscanner", "scanned for viruses", "no virus found in this message",
	"consider the environment before printing", "think before you print", "denken sie an die umwelt", "pensez à l'environnement", "bitte prüfen sie, ob diese mail wirklich ausgedruckt",
	"originated from outside", "came from outside the organi", "this is an external email", "external sender. do not", "stammt von außerhalb", "kommt von außerhalb", "provient de l'extérieur", "sent from outside the organi",
	"don't often get email from", "learn why this is important",
}

// bannerSigns go on with what gateways say above a mail.
var bannerSigns = []string{"do not click", "open attachments", "recognize the sender", "recognise the sender", "know the content is safe", "klicken sie nicht", "anhänge nur", "ne cliquez pas"}

// listSigns are in what a mailing list adds below a line.
var listSigns = []string{"mailing list", "mailman", "mailingliste", "liste de diffusion", "lista de correo"}
