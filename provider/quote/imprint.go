package quote

import "strings"

// imprintWords are what companies have to print on their letters: seat,
// register, number for taxes, directors. They are whole words.
var imprintWords = spaced(
	"registered office|registered in england|registered in england and wales|company number|company no|company registration|registration number|vat no|vat number|vat reg",
	"sitz der gesellschaft|geschäftsführer|geschäftsführerin|geschäftsführung|vorstand|aufsichtsrat|registergericht|amtsgericht|handelsregister|handelsregisternummer|hrb|hra|ust id|ust idnr|umsatzsteuer id",
	"siège social|rcs|siret|siren|capital social|n° tva|tva intracommunautaire|domicilio social|registro mercantil|c i f|cif|nif|n i f|sede legale|partita iva|p iva|registro delle imprese|reg imprese|capitale sociale|codice fiscale|cod fisc",
	"statutaire zetel|kvk|kvk nummer|btw nummer|sede social|nipc|cnpj|siedziba|krs|nip|regon|kapitał zakładowy|org nr|organisasjonsnummer|organisationsnummer|cvr|cvr nr|y tunnus|ičo|dič")

// imprint reports whether each line of a paragraph is one of what companies
// print on their letters.
func imprint(paragraph []line) bool {
	for _, l := range paragraph {
		w := words(l.text)
		if len(l.text) > 200 || !strings.ContainsAny(l.text, ":0123456789") || strings.HasSuffix(l.text, "?") ||
			!anyIn(w, imprintWords) || anyIn(w, personWords) || anyIn(w, firstPerson) {
			return false
		}
	}
	return len(paragraph) > 0
}

// imprintAt returns the first line of the company's paragraph that ends before
// end, or -1. A person answers with a company's number too; so a phone's line
// or a legal notice has to stand directly above it.
func (s *splitter) imprintAt(end int) int {
	start := s.paragraph(end)
	if !imprint(s.lines[start:end]) {
		return -1
	}
	above := start
	for above > 0 && s.lines[above-1].blank() {
		above--
	}
	if above == 0 || above == start || s.kinds[above-1] != "" || s.lines[above-1].depth > 0 {
		return -1
	}
	first := s.paragraph(above)
	first += noticeStart(s.lines[first:above])
	if mobile(s.lines[above-1].text) || notice(s.lines[first:above]) {
		return start
	}
	return -1
}
