package quote

import "strings"

// answers keeps history in which the author says to have typed answers, if
// none are found between marked passages: nothing but a colour tells them
// from what they answer.
func (s *splitter) answers() {
	first := 0
	for first < len(s.lines) && s.kinds[first] != Quote && s.kinds[first] != Attribution {
		first++
	}
	if first == len(s.lines) || !s.announced(first) && !s.red(first) {
		return
	}
	for i := first; i < len(s.lines); i++ {
		if (s.kinds[i] == "" || s.kinds[i] == Context) && !s.lines[i].blank() {
			return
		}
	}
	for i := first; i < len(s.lines); i++ {
		if s.kinds[i] != Quote {
			continue
		}
		s.kinds[i] = Context
		if a, ok := attributionAt(s.lines, i); ok && a.program {
			s.mark(max(a.start, first), a.end, Attribution)
		}
	}
}

// red reports whether lines of the history from first on are red, and not as
// many as would make red the colour of a mail. Who writes to candidates writes
// in black, so that an answer is the likeliest red.
func (s *splitter) red(first int) bool {
	reds, count := 0, 0
	for i := first; i < len(s.lines); i++ {
		if s.kinds[i] == Quote && s.lines[i].text != "" {
			count++
			if s.lines[i].hint&hintRed != 0 {
				reds++
			}
		}
	}
	return reds > 0 && 3*reds <= 2*count
}

// maxNote is how many lines a mail has at most that says "see below" and
// means its own answers.
const maxNote = 4

// announced reports whether the author says, above line end, that the answers
// are further below.
func (s *splitter) announced(end int) bool {
	count, below := 0, false
	for i, l := range s.lines[:end] {
		if s.kinds[i] != "" || l.text == "" || l.depth > 0 {
			continue
		}
		count++
		if len(l.text) > 4*maxMark {
			continue
		}
		for sentence := range strings.FieldsFuncSeq(l.text, func(r rune) bool { return strings.ContainsRune(".!?;。！？", r) }) {
			w := words(sentence)
			place := anyIn(w, belowWords) || anyIn(w, colourWords) || anyIn(w, loosePlaces) || anyIn(w, belowSigns)
			switch {
			case !place:
			case anyIn(w, answerWords) && (anyIn(w, ownWords) || anyIn(w, colourWords) || anyIn(w, loosePlaces)), anyIn(w, answerSigns) && anyIn(w, belowSigns):
				return true
			case anyIn(w, colourWords), strings.Contains(strings.ToLower(sentence), "in-line"):
				return true
			case anyIn(w, loosePlaces) && (anyIn(w, seeWords) || strings.Count(w, " ") <= 6):
				return true
			case anyIn(w, seeWords) && strings.Count(w, " ") <= 8, strings.Count(w, " ") <= 5 && !anyIn(w, looseBelow):
				below = true
			}
		}
	}
	return below && count <= maxNote
}

// What people say of their answers: that they are answers, theirs, and where
// they stand.
var (
	answerWords = spaced("contesto|contesté|contestado|beantworte|rispondo|respondo|antworte|réponds|beantwoord|svarar|svarer|odpowiadam|odpovídám|odpovedám|отвечаю|відповідаю|yanıtladım|cevapladım|vastasin|válaszoltam|am răspuns|answer|answers|answered|reply|replies|replied|response|responses|responded|comment|comments|commented|remarks|feedback|antwort|antworten|anmerkung|anmerkungen|kommentar|kommentare|beantwortet|réponse|réponses|commentaires|remarques|répondu",
		"respuesta|respuestas|comentarios|respondido|risposta|risposte|commenti|risposto|antwoord|antwoorden|opmerkingen|resposta|respostas|comentários|respondi|svar|svaren|svarene|kommentarer|odpowiedzi|odpowiedź|uwagi|komentarze|odpovědi|odpověď|odpovede|komentáře",
		"ответы|ответ|ответил|ответила|комментарии|відповіді|відповідь|коментарі|yanıtlarım|cevaplarım|yanıtlar|cevaplar|vastaukset|vastaukseni|kommenttini|válaszok|válaszaim|răspunsuri|răspunsurile|απαντήσεις|jawaban|câu trả lời|תשובות|התשובות|إجاباتي|الإجابات")
	ownWords = spaced("contesto|contesté|contestado|beantworte|rispondo|respondo|antworte|réponds|beantwoord|svarar|svarer|odpowiadam|odpovídám|odpovedám|отвечаю|відповідаю|yanıtladım|cevapladım|vastasin|válaszoltam|am răspuns|my|mine|i|i've|our|see|please|find|answered|answers|here|meine|unsere|siehe|bitte|habe|finden|antworten|mes|nos|voir|voici|vois|trouverez|ai|j'ai|mis|he|nuestras|ver|véase|vea|mie|miei|vedi|ho|ecco|mijn|onze|zie|heb|minhas|meus|veja|vide|seguem|segue",
		"mina|mitt|mine|mit|se|moje|swoje|patrz|zobacz|viz|své|мои|мой|см|смотрите|свої|мої|див|yanıtlarım|cevaplarım|vastaukseni|kommenttini|katso|ks|válaszaim|lásd|mele|vezi|μου|lihat|saya|tôi|שלי|התשובות|إجاباتي|ответил|ответила|beantwortet|répondu|risposto|respondi|respondido")
	seeWords    = spaced("see|please see|look|siehe|s|sieh|voir|voyez|vois|ver|véase|vea|vedi|vedere|zie|veja|vide|se|patrz|zobacz|viz|см|смотрите|див|katso|ks|lásd|vezi|bakınız|bkz|lihat")
	colourWords = spaced("inline|in red|in blue|in green|in bold|in caps|in capitals|in colour|in color|in your mail|in your email|in your e mail|interspersed|between the lines|in rot|in blau|in grün|farbig|in ihrer mail|in deiner mail|en rouge|en bleu|en vert|en gras|dans le texte",
		"en rojo|en azul|en verde|en negrita|en el texto|in rosso|in blu|in verde|nel testo|in rood|in blauw|in het rood|in de tekst|em vermelho|em azul|no texto|i rött|med rött|i blått|i rødt|med rødt|i teksten|i texten|na czerwono|w tekście|červeně|v textu|красным|синим|в тексте|червоним|в тексті|kırmızı|metin içinde|punaisella|tekstissä|pirossal|a szövegben|cu roșu|în text|με κόκκινο")
	// These have other uses too.
	loosePlaces = spaced("in line|in the text|rot|im text")
	looseBelow  = spaced("under|onder|alla|lent|sotto|unten|further down")
	belowWords  = spaced("below|underneath|further down|unten|untenstehend|darunter|weiter unten|ci dessous|plus bas|en dessous|abajo|más abajo|a continuación|sotto|di seguito|qui sotto|più sotto|hieronder|onder|onderstaand|abaixo|nedan|nedanför|nedenfor|under|herunder|poniżej|níže|nižšie|ниже|нижче|aşağıda|aşağıdaki|alla|alempana|lent|alább|mai jos|παρακάτω|di bawah|bên dưới|dưới đây|למטה|להלן|أدناه")
	answerSigns = []string{"回答", "答复", "回复", "回覆", "答覆", "返信", "コメント", "답변", "คำตอบ"}
	belowSigns  = []string{"下面", "以下", "下方", "红色", "紅色", "赤字", "下記", "아래", "빨간", "ด้านล่าง", "สีแดง"}
)
