package classify

// automaticPrefixes begin the subjects of automatic answers. The first ones
// are Exchange's and Gmail's, as these write them in the languages of their
// users.
var automaticPrefixes = []string{
	"automatic reply", "automatic response", "auto reply", "auto-reply", "autoreply", "auto response", "yahoo! auto response", "auto-response", "autoresponse", "autoresponder", "automated reply", "automated response", "out of office", "out of the office", "out-of-office", "ooo",
	"automatische antwort", "automatische rückantwort", "abwesenheitsnotiz", "abwesenheitsmeldung", "abwesenheit", "abwesenheitsbenachrichtigung",
	"réponse automatique", "reponse automatique", "absence du bureau", "absent du bureau", "message d'absence",
	"respuesta automática", "respuesta automatica", "fuera de la oficina", "fuera de oficina",
	"risposta automatica", "fuori sede", "fuori ufficio", "assente",
	"resposta automática", "resposta automatica", "fora do escritório", "ausência temporária",
	"automatisch antwoord", "automatische reactie", "automatische beantwoording", "afwezigheidsbericht", "niet aanwezig",
	"automatyczna odpowiedź", "odpowiedź automatyczna", "autoodpowiedź", "nieobecność", "poza biurem",
	"autosvar", "automatiskt svar", "automatisk svar", "frånvaro", "frånvarande", "fravær", "ikke til stede", "automatisk besvarelse",
	"automaattinen vastaus", "poissaoloviesti", "poissa toimistosta",
	"автоматический ответ", "автоответ", "вне офиса", "автоматична відповідь", "автовідповідь",
	"automatická odpověď", "automatická odpoveď", "mimo kancelář", "automatikus válasz", "házon kívül", "otomatik yanıt", "otomatik cevap", "ofis dışında",
	"răspuns automat", "αυτόματη απάντηση", "εκτός γραφείου", "automatski odgovor", "samodejni odgovor", "автоматичен отговор", "automaatne vastus", "automaatvastus", "resposta automàtica", "automātiska atbilde", "automatinis atsakymas",
	"自動応答", "自動返信", "不在通知", "自动回复", "自動回覆", "自动答复", "外出", "자동 회신", "자동 응답", "부재중 자동응답", "부재중", "자동응답", "자동회신", "부재 중", "תגובה אוטומטית", "رد تلقائي", "ตอบกลับอัตโนมัติ", "trả lời tự động", "balasan otomatis",
}

// awayPrefixes begin subjects of absence that people write too.
var awayPrefixes = []string{
	"i am away", "i'm away", "i am out", "away", "absence", "absent", "vacation", "on vacation", "on leave", "annual leave", "holiday", "abwesend", "im urlaub", "urlaub", "congés", "vacances", "vacaciones", "ferie", "in ferie", "férias",
	"afwezig", "vakantie", "urlop", "semester", "ferie", "loma", "lomalla", "отпуск", "dovolená", "szabadság", "izin", "concediu", "άδεια",
}

// awayWords are how texts say that somebody is absent.
var awayWords = newPhrasebook(map[string]bool{
	`out of office; out of the office; out-of-office; on vacation; on holiday; on holidays; on annual leave; on leave; on parental leave; on maternity leave; on paternity leave; on sick leave; on a business trip; away until; away from the office; away from my desk; away from my mail; am away; i'm away; currently away; be away
	out today; out this week; out all week; out until; out through; office is closed; offices are closed; we are closed; we're closed; closed for; jury duty; unavailable until; not available until; on sabbatical; on pto; be ooo; i'm ooo; am ooo; family emergency; away on; away this week; off work; on furlough; on bereavement
	limited access to; no access to my email; no access to email; not be reading my mail; not in the office; not be in the office; when i return; upon my return; back in the office; will be back on; return to the office; i am currently out; i'm currently out; i will be out; i'll be out; i am travelling; i am traveling; currently traveling; currently travelling; on pto; ooo until
	erkrankt; auf urlaub; in kur; in einer reha; in reha; krankgeschrieben; krankheitsbedingt; betriebsferien; betriebsurlaub; betriebsurlaubs; wieder zurück; ich bin verreist; nicht da; urlaub bis; mutterschutz; sabbatical; außerhalb des büros; auf geschäftsreise; nicht am platz
	nicht im büro; nicht im hause; im urlaub; außer haus; ausser haus; abwesend; nicht erreichbar; in elternzeit; wieder erreichbar; wieder im büro; auf dienstreise; nicht am arbeitsplatz; befinde mich derzeit; meiner abwesenheit
	en déplacement; congé maternité; congé parental; arrêt maladie; notre société est fermée; nos bureaux sont fermés; pas au bureau; je reviens; serai de retour
	en congé; en congés; absent du bureau; absente du bureau; actuellement absent; absente jusqu; absent jusqu; suis absent; suis absente; serai absent; serai absente; en vacances; de retour le; hors du bureau; mon absence; mon retour
	de permiso; baja por maternidad; baja maternal; no estaré disponible; de viaje; cerrado por; de vacances; de baixa; fora de l'oficina
	de vacaciones; fuera de la oficina; fuera de oficina; estaré ausente; me encuentro ausente; ausente hasta; estoy ausente; de baja; estaré fuera; estoy fuera; mi ausencia; mi regreso; a mi vuelta
	in malattia; in congedo; in maternità; in trasferta; in viaggio; ufficio chiuso; uffici chiusi
	fuori sede; fuori ufficio; in ferie; in vacanza; sono assente; sarò assente; assente fino; assente dal; mio rientro; al rientro; non sono in ufficio; sarò di ritorno
	licença maternidade; licença de maternidade; em viagem; fora da empresa; em recesso
	fora do escritório; de férias; em férias; estou ausente; estarei ausente; ausente até; de licença; meu regresso; meu retorno; estarei fora; estou fora; não estou no escritório
	zwangerschapsverlof; ouderschapsverlof; ben ziek; buiten kantoor
	afwezig; niet op kantoor; met vakantie; op vakantie; niet aanwezig; niet bereikbaar; met verlof; terug op; weer bereikbaar; ben ik terug
	zwolnieniu lekarskim; podróży służbowej; urlopie rodzicielskim; urlopu; urlopie macierzyńskim; w delegacji; nie ma mnie w biurze
	poza biurem; na urlopie; nieobecny; nieobecna; przebywam na; jestem na urlopie; będę nieobecn; nieobecności; wracam; powrocie
	på semester; är ledig; föräldraledig; inte på kontoret; åter på kontoret; är frånvarande; ute ur kontoret; tjänsteresa; tillbaka på kontoret; är tillbaka; inte på plats; är bortrest
	holder ferie; har ferie; har jeg ferie; på barsel; i permisjon; foreldrepermisjon; sykmeldt; er syg; på tjenestereise; på forretningsreise; sjukskriven; mammaledig; pappaledig; tjänstledig
	på ferie; ikke på kontoret; ikke til stede; har ferie; har fri; ute av kontoret; ude af kontoret; tilbage på kontoret; tilbake på kontoret; er tilbage; er tilbake; er fraværende; er bortreist; ude af huset; barselsorlov
	kesälomalla; talvilomalla; hiihtolomalla; äitiyslomalla; vanhempainvapaalla; sairaslomalla; en ole töissä; puhkusel; ei ole kontoris; atvaļinājumā; atostogauju; atostogose
	lomalla; poissa toimistolta; en ole paikalla; olen poissa; vuosilomalla; palaan; takaisin töissä; virkamatkalla
	в отпуск; на больничном; нахожусь в отпуске; в декрете; извън офиса; на одмору; годишњем
	в отпуске; отсутствую; нет в офисе; вне офиса; в командировке; вернусь; выйду на работу; буду отсутствовать; не в офисе
	у відпустці; відсутній; відсутня; повернуся; na dovolené; čerpám dovolenou; mám dovolenou; mimo kancelář; mimo kanceláře; nie som v kancelárii; na nemocenské; jsem nemocný; jsem nemocná; na služební cestě; na pracovní cestě; na mateřské; nejsem v kanceláři; nejsem přítom; vrátím se; na dovolenke; mimo kancelárie
	szabadságon; házon kívül; nem vagyok az irodában; nem tartózkodom; távol vagyok; leszek elérhető; izindeyim; iznindeyim; izinde olacağım; seyahatteyim; raporluyum; ofis dışında; tatildeyim; ofiste değilim; yıllık izin
	în concediu; plecat din; nu sunt la birou; lipsesc; voi reveni; revin în; σε άδεια; εκτός γραφείου; απουσιάζω; λείπω; θα επιστρέψω; na godišnjem; nisam u uredu; na dopustu; odsutan; odsutna
	خارج المكتب; في إجازة; בחופשה; מחוץ למשרד; nghỉ phép; ลาพักร้อน; ลาพัก; ไม่อยู่; sedang cuti; غائب
	不在; 休暇; 休業; 外出し; 出張; 留守; 休假; 外出; 不在办公室; 出差; 度假; 请假; 휴가; 부재; 출장; 자리를 비`: true,
})

// machineWords are how texts say that no person wrote them.
var machineWords = newPhrasebook(map[string]bool{
	`this is an automatic; this is an automated; this is an auto; this message was automatically; this message is automatically; this email is automatically; this is automatically; automatically generated; auto-generated; autogenerated; generated automatically; automated response; automated reply; automated message; automatic reply; automatic response; auto-reply; autoreply; autoresponse
	your mail regarding; your message regarding; will be read when; do not reply to this; please do not respond to this; please do not reply; sent automatically; we have received your; we received your; thank you for contacting; thanks for contacting; a ticket has been; your ticket; your request has been received; has been received and; case number
	automatische antwort; automatisch generiert; automatisch erstellt; automatisch erzeugt; automatische nachricht; automatisch versendet; automatisch beantwortet; réponse automatique; message automatique; généré automatiquement; envoyé automatiquement; respuesta automática; mensaje automático; generado automáticamente; risposta automatica; messaggio automatico; generato automaticamente
	resposta automática; mensagem automática; gerada automaticamente; automatisch antwoord; automatisch bericht; automatisch gegenereerd; automatisch verzonden; odpowiedź automatyczna; automatyczna odpowiedź; wiadomość automatyczna; wygenerowana automatycznie; automatiskt svar; automatiskt meddelande; autosvar; automatisk svar; automatisk besked; automatisk melding
	automaattinen vastaus; automaattinen viesti; автоматический ответ; автоматическое сообщение; автоматически; автоматична відповідь; automatická odpověď; automatická zpráva; automatikus válasz; automatikus üzenet; otomatik yanıt; otomatik cevap; otomatik mesaj; otomatik olarak; răspuns automat; mesaj automat; αυτόματη απάντηση; αυτόματο μήνυμα
	自動返信; 自動応答; 自動配信; 自動送信; 自动回复; 自动发送; 自動回覆; 자동 회신; 자동 응답; 자동으로 발송`: true,
})
