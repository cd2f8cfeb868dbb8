package classify

import (
	"strings"
	"time"
)

// maxAway bounds a believable absence.
const maxAway = 366 * 24 * time.Hour

// maxUnsaid bounds how far ahead a day without a year is looked for.
const maxUnsaid = 270 * 24 * time.Hour

// returnDate finds when an absent person is back: the first believable date
// beside words that announce one. Days begin at midnight in the zone of the
// message's Date, which is the sender's.
func returnDate(m *message) time.Time {
	base := m.env.Date
	if base.IsZero() {
		base = m.env.Received
	}
	if base.IsZero() || m.msg == nil {
		return time.Time{}
	}
	text := m.subject + "\n" + m.text
	var marks []hit[mark]
	announcements.find(text, func(h hit[mark]) bool {
		marks = append(marks, h)
		return len(marks) < 60
	})
	if len(marks) == 0 {
		return time.Time{}
	}
	var back, through time.Time
	for _, d := range datesIn(text, marks, base) {
		kind := nearest(marks, d, text)
		if kind == nothing {
			continue
		}
		day := d.day
		if kind == lastDay {
			day = day.AddDate(0, 0, 1) // away through that day: back on the next
		}
		if !day.After(base) || !day.Before(base.Add(maxAway)) {
			continue
		}
		if kind == firstDay && back.IsZero() {
			back = day
		}
		if kind == lastDay && through.IsZero() {
			through = day
		}
	}
	// Words for the first day back are those for the first day away in some
	// languages. Nobody is back before the last day away; "until" may name the
	// day of the return itself.
	if back.IsZero() || back.Before(through.AddDate(0, 0, -1)) {
		return through
	}
	return back
}

// mark is what words beside a date say of it.
type mark int

const (
	nothing      mark = iota
	lastDay           // before the date: the last day away
	firstDay          // before it: the first day back
	rangeEnd          // before it, and after another: the last day away
	lastDayEnds       // behind it: the last day away
	firstDayEnds      // behind it: the first day back
	otherDay          // before it: another day than that of the return
	monthEnd          // before the name of a month: its last day
)

// The reach of a mark, in bytes.
const (
	reachAhead  = 48
	reachRange  = 12
	reachBehind = 16
)

// nearest returns what the closest mark says of a date: lastDay, firstDay or
// nothing.
func nearest(marks []hit[mark], d dated, text string) mark {
	if d.lasts {
		return lastDay
	}
	best, gap := nothing, reachAhead+1
	for _, h := range marks {
		switch h.tag {
		case lastDay, firstDay, otherDay:
			// A mark that is as close and longer says more.
			if g := d.at - h.end; g >= 0 && g < gap && !strings.ContainsAny(text[h.end:d.at], "!?") {
				best, gap = h.tag, g
			}
		case rangeEnd:
			if g := d.at - h.end; g >= 0 && g <= reachRange && g < gap && strings.ContainsAny(text[max(0, h.at-28):h.at], "0123456789") {
				best, gap = lastDay, g
			}
		case lastDayEnds, firstDayEnds:
			if g := h.at - d.end; g >= 0 && g <= reachBehind && g < gap && !strings.ContainsAny(text[d.end:h.at], "0123456789") {
				best, gap = lastDay, g
				if h.tag == firstDayEnds {
					best = firstDay
				}
			}
		}
	}
	if best == nothing && endsRange(text[:d.at]) {
		return lastDay
	}
	if best == otherDay {
		return nothing
	}
	return best
}

// endsRange reports whether a date that follows is the second of two with a
// dash between.
func endsRange(before string) bool {
	before = strings.TrimRight(before, " ")
	for _, dash := range []string{"-", "–", "—", "~", "〜", "~"} {
		if rest, ok := strings.CutSuffix(before, dash); ok {
			return strings.ContainsAny(rest[max(0, len(rest)-14):], "0123456789")
		}
	}
	return false
}

// announcements are the words beside a return date. In some languages they
// stand behind it.
var announcements = newPhrasebook(map[string]mark{
	`until; till; through; up to and including; up to; thru
	bis; jusqu'au; jusqu'à; jusqu'en; jusque; hasta; fino al; fino a; fino all'; sino al; até; tot en met; t/m; do dnia; aż do; till och med; t.o.m; til og med; t.o.m.; fram til; indtil
	до; по; do; až do; včetně; până la; până pe; până în; μέχρι; έως; ως τις; kuni; līdz; iki; sve do; vključno do; 至; 直到; 到`: lastDay,

	`back on; back in the office on; back in the office; back at work; back at my desk; back from; back; return on; returning on; returning; return; returns; returned; available again on; available again from; available from; reachable again; resume on; in the office again; re-open; reopen
	wieder am; wieder ab; kehre am; rückkehr; rückkehr am; rückkehr ist am; komme am; ab morgen; und morgen wieder; ab dem; ab; zurück am; zurück; wieder im büro; wieder erreichbar; wieder da; wieder zur verfügung; de retour le; de retour; retour; joignable à compter du; disponible à compter du; présent à compter du; présente à compter du; retour le; mon retour; reviens le; reviendrai le; serai joignable; à partir du; dès le
	vuelvo el; vuelvo; regreso el; regreso; volveré el; volveré; vuelta el; de vuelta el; me reincorporo; me incorporo; a partir del; incorporaré; regresaré; ritorno; di ritorno il; di ritorno; rientro il; rientro; rientrerò; tornerò; torno; torno il; nuovamente in ufficio il; nuovamente in ufficio; di nuovo in ufficio; nuovamente disponibile; operativo dal; operativa dal; sarò di nuovo; dal giorno; a partire dal; a partire da
	regresso; regressarei; retorno; retornarei; volto; voltarei; de volta; a partir de; a partir do; tot; terug op; terug; vanaf; weer bereikbaar; weer aanwezig; weer op kantoor; wracam; powrót; powrotu; wrócę; będę dostępn; od dnia; dostępny od; dostępna od
	tillbaka; åter; är åter; återkommer; tilbage; tilbake; er tilbage; igen den; igjen fra; takaisin; jälleen töissä; taas töissä; palaan; tavoitettavissa; вернусь; выйду; возвращаюсь; буду в офисе; буду доступ; с; повернуся; повертаюся; vrátím se; vrátím; zpět; opět; vrátim; späť; od
	revin; voi reveni; mă întorc; mă voi întoarce; începând cu; επιστρέφω; θα επιστρέψω; επιστροφή; από; tagasi; atgriez; grįšiu; vraćam; vračam; dönüş; tekrar; 返回; 回来; 恢复; 回复工作; 出社`: firstDay,

	`to; and; au; al; all'; a; y el; und; and returning; i; til; till den; e`: rangeEnd,

	`まで; 迄; まで不在; 까지; 'e kadar; 'a kadar; kadar; ye kadar; tarihine kadar; asti; saakka; ig; ig bezárólag; 为止; 期间; 結束`: lastDayEnds,

	`から; より; に戻; に出社; に復帰; 以降; 부터; 에 복귀; 에 돌아; 'de döne; 'da döne; 'de ofis; 'da ofis; tarihinde döne; tarihinde ofis; tarihinden itibaren; itibaren; alkaen; lähtien; än leszek; én leszek; án leszek; tól; től; én; án; én vissza; 返回; 回来; 恢复; 起; 后回; 回到; 回公司; 上班; 返工; に戻り; より出社; から出社; weer terug; weer op kantoor; weer aanwezig; weer bereikbaar; ben ik weer; wieder im; wieder da; wieder erreichbar; wieder zurück; wieder für sie; wieder zur; zurück im; zurück; terug; är jag åter; är jag tillbaka; er jeg tilbage; er jeg tilbake; bin ich wieder; günü ofiste; günü döne; tarihinde işe; günü işe; 에 출근; 에 업무`: firstDayEnds,

	`end of; the end of; ende; fin; fin de; fin du mois de; finales de; final de; fine; fine di; fim de; fim do mês de; eind; einde; slutet av; utgangen av; udgangen af; slutningen af; koniec; końca; konce; konca; конца; кінця; sfârșitul lunii; τέλος; τέλη`: monthEnd,

	`from; since; starting; beginning; as of; vom; von; seit; du; depuis; à compter du; desde; dal; del; desde el; van; sinds; od poniedziałku; från; fra; з; начиная с; written on; dated; sent on; on behalf`: otherDay,
})
