package classify_test

// absence is an absence in one language: how Exchange calls its answer, and
// texts that tell, in different forms, that the person is back on 14
// September 2026. They were written on 1 September 2026, a Tuesday.
type absence struct {
	language string
	subject  string
	texts    []string
}

var absences = []absence{
	{"English", "Automatic reply", []string{
		"Hi,\n\nThank you for your email. I am out of the office and will be back on Monday, September 14th.\n\nFor urgent matters call +44 20 7946 0958.",
		"I'm on annual leave from 1 September until 13 September 2026 with limited access to email.",
		"I am away from 31/08/2026 to 13/09/2026.",
		"I am on vacation: 1 September – 13 September. Please write to my colleague.",
	}},
	{"German", "Automatische Antwort", []string{
		"Guten Tag,\n\nich bin ab dem 14.09.2026 wieder erreichbar. In dringenden Fällen wenden Sie sich bitte an Frau Maier, Tel. 030 1234567.",
		"Ich bin vom 1. bis einschließlich 13. September im Urlaub. Ihre E-Mail wird nicht weitergeleitet.",
		"Derzeit bin ich nicht im Büro. Am Montag, den 14.9., bin ich zurück am Platz; ich bin bis 13.9. abwesend.",
	}},
	{"French", "Réponse automatique", []string{
		"Bonjour,\n\nJe suis absente du bureau et serai de retour le lundi 14 septembre 2026.\n\nCordialement",
		"Je suis en congés du 1er au 13 septembre inclus.",
		"Absent jusqu’au 13/09/2026, je vous répondrai à mon retour.",
	}},
	{"Spanish", "Respuesta automática", []string{
		"Hola: estoy fuera de la oficina y vuelvo el 14 de septiembre.",
		"Me encuentro de vacaciones hasta el domingo 13 de septiembre de 2026.",
		"Estaré ausente del 1 al 13 de septiembre.",
	}},
	{"Italian", "Risposta automatica", []string{
		"Buongiorno, sono fuori ufficio e rientro il 14 settembre 2026.",
		"Sono in ferie fino al 13 settembre compreso.",
		"Sarò assente dal 1 al 13 settembre 2026 senza accesso alla posta.",
	}},
	{"Portuguese", "Resposta automática", []string{
		"Olá, estou de férias e regresso a 14 de setembro de 2026.",
		"Estarei fora do escritório até 13 de setembro.",
		"Estou ausente até ao dia 13/09/2026.",
	}},
	{"Dutch", "Automatisch antwoord", []string{
		"Goedendag, ik ben met vakantie. Op maandag ben ik er weer: terug op 14 september 2026.",
		"Ik ben afwezig tot en met 13 september.",
		"Vanaf 14 september ben ik weer bereikbaar; tot die tijd ben ik niet op kantoor.",
	}},
	{"Polish", "Odpowiedź automatyczna", []string{
		"Dzień dobry, jestem na urlopie. Wracam 14 września 2026 r.",
		"Przebywam na urlopie do 13 września włącznie.",
		"Jestem nieobecna do dnia 13.09.2026.",
	}},
	{"Swedish", "Autosvar", []string{
		"Hej! Jag är på semester och är tillbaka på kontoret måndag den 14 september.",
		"Jag är ledig till och med 13 september 2026.",
		"Jag är på semester t.o.m. 13 september.",
	}},
	{"Danish", "Automatisk svar", []string{
		"Hej, jeg holder ferie. Jeg er tilbage den 14. september 2026 og er ikke på kontoret indtil da.",
		"Jeg er på ferie til og med den 13. september.",
	}},
	{"Norwegian", "Automatisk svar", []string{
		"Hei, jeg er på ferie og er tilbake på kontoret 14. september.",
		"Jeg har ferie til og med 13. september 2026.",
	}},
	{"Finnish", "Automaattinen vastaus", []string{
		"Hei, olen lomalla ja palaan töihin 14. syyskuuta 2026.",
		"Olen vuosilomalla 13.9.2026 asti.",
	}},
	{"Russian", "Автоматический ответ", []string{
		"Здравствуйте! Я в отпуске, вернусь 14 сентября 2026 г.",
		"Я буду отсутствовать с 1 по 13 сентября.",
		"Нахожусь в отпуске до 13.09.2026 включительно.",
	}},
	{"Ukrainian", "Автоматична відповідь", []string{
		"Вітаю! Я у відпустці, повернуся 14 вересня.",
		"Я у відпустці до 13 вересня 2026.",
	}},
	{"Czech", "Automatická odpověď", []string{
		"Dobrý den, jsem na dovolené. Vrátím se 14. září 2026.",
		"Jsem mimo kancelář do 13. září.",
	}},
	{"Hungarian", "Automatikus válasz", []string{
		"Szabadságon vagyok 2026. szeptember 13-ig.",
		"Jelenleg házon kívül vagyok, szeptember 14-én leszek elérhető.",
	}},
	{"Turkish", "Otomatik yanıt", []string{
		"Merhaba, yıllık izindeyim. 14 Eylül 2026 tarihinde ofiste olacağım ve tekrar e-postaları okuyacağım: dönüş 14 Eylül 2026.",
		"13 Eylül 2026 tarihine kadar izindeyim.",
	}},
	{"Romanian", "Răspuns automat", []string{
		"Bună ziua, sunt în concediu până la 13 septembrie 2026.",
		"Nu sunt la birou. Voi reveni pe 14 septembrie.",
	}},
	{"Greek", "Αυτόματη απάντηση", []string{
		"Καλησπέρα, είμαι σε άδεια έως 13 Σεπτεμβρίου 2026.",
		"Λείπω με άδεια και θα επιστρέψω στις 14 Σεπτεμβρίου.",
	}},
	{"Japanese", "自動応答", []string{
		"お世話になっております。夏季休暇のため、2026年9月13日まで不在にしております。",
		"休暇をいただいております。9月14日より出社いたします。",
		"出張のため不在です(9月1日~9月13日まで)。",
	}},
	{"Chinese", "自动回复", []string{
		"您好,我正在休假,将于2026年9月14日返回。",
		"我不在办公室,休假至9月13日。",
	}},
	{"Korean", "자동 회신", []string{
		"안녕하세요. 2026년 9월 13일까지 휴가입니다.",
		"현재 부재 중이며 9월 14일부터 업무에 복귀합니다.",
	}},
}
