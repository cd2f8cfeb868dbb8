package classify

import (
	"strings"
	"time"
	"unicode/utf8"
)

// monthOf returns the month that a lower-case word names, in full, inflected
// or cut, or 0.
func monthOf(word string) int {
	if m := months[word]; m != 0 {
		return m
	}
	// Languages that inflect put more endings on a name than a list has.
	if n := utf8.RuneCountInString(word); n >= 5 {
		for i := range word {
			if i == 0 {
				continue
			}
			if m := monthStems[word[:i]]; m != 0 {
				return m
			}
		}
	}
	return 0
}

// months are the names of months in the form that stands beside a day, and
// their common abbreviations (Unicode CLDR, format and stand-alone).
var months = monthTable(map[int]string{
	1:  `january jan januar jän jänner janvier janv enero ene gennaio gen janeiro januari stycznia styczeń sty января янв січня ledna leden januára január janúar január ocak oca ianuarie ian ιανουαρίου ιαν siječnja sijecnja tammikuuta tammikuu tammi jaanuar janvāris janvāra sausio януари januarja tháng1 มกราคม`,
	2:  `february feb februar février févr fevrier fév febrero febbraio febb fevereiro fev februari lutego luty lut февраля фев лютого února únor februára február febr şubat şub februarie φεβρουαρίου φεβ veljače helmikuuta helmikuu helmi veebruar februāris februāra vasario февруари februarja กุมภาพันธ์`,
	3:  `march mar märz mrz maerz mars marzo março marco maart mrt marca marzec марта мар березня března březen marec március márc mart martie μαρτίου μαρ ožujka maaliskuuta maaliskuu maalis märts marts martā kovo март marec มีนาคม`,
	4:  `april apr avril avr abril abr aprile aprilie kwietnia kwiecień kwi апреля апр квітня dubna duben apríla apríl április ápr nisan nis απριλίου απρ travnja huhtikuuta huhtikuu huhti aprill aprīlis aprīlī balandžio април aprila เมษายน`,
	5:  `may mai mayo maggio mag maio mei maj maja мая май травня května květen mája máj május máj mayıs mayis mai μαΐου μαίου μάιος svibnja toukokuuta toukokuu touko maijs maijā gegužės maja พฤษภาคม`,
	6:  `june jun juni juin junio giugno giu junho czerwca czerwiec cze июня июн червня června červen júna jún június jún haziran haz iunie ιουνίου ιουν lipnja kesäkuuta kesäkuu kesä juuni jūnijs jūnijā birželio юни junija มิถุนายน`,
	7:  `july jul juli juillet juil julio luglio lug julho lipca lipiec lip июля июл липня července červenec júla júl július júl temmuz iulie ιουλίου ιουλ srpnja heinäkuuta heinäkuu heinä juuli jūlijs jūlijā liepos юли julija กรกฎาคม`,
	8:  `august aug août aout agosto ago augustus augusti sierpnia sierpień августа авг серпня srpna srpen augusta augusztus ağustos ağu agustos august αυγούστου αυγ kolovoza elokuuta elokuu elo augusts augustā rugpjūčio август avgusta สิงหาคม`,
	9:  `september sep sept septembre septiembre setiembre settembre sett setembro września wrzesień wrz сентября сен сент вересня září septembra szeptember szept eylül eylul eyl septembrie σεπτεμβρίου σεπ σεπτ rujna syyskuuta syyskuu syys septembris septembrī rugsėjo септември กันยายน`,
	10: `october oct oktober okt octobre octubre ottobre ott outubro października październik paź октября окт жовтня října říjen októbra október ekim eki octombrie οκτωβρίου οκτ listopada lokakuuta lokakuu loka oktoober oktobris oktobrī spalio октомври oktobra ตุลาคม`,
	11: `november nov novembre noviembre novembro listopada listopad lis ноября ноя листопада listopadu novembra kasım kasim kas noiembrie νοεμβρίου νοε studenoga studenog marraskuuta marraskuu marras novembris novembrī lapkričio ноември พฤศจิกายน`,
	12: `december dec dezember dez décembre déc decembre diciembre dic dicembre dezembro grudnia grudzień gru декабря дек грудня prosince prosinec decembra aralık aralik ara decembrie δεκεμβρίου δεκ prosinca joulukuuta joulukuu joulu detsember decembris decembrī gruodžio декември ธันวาคม`,
})

// monthStems begin the names of months in languages that put endings on
// them: Turkish 14 Eylül'de, Hungarian szeptember 14-ig, Estonian, Finnish.
var monthStems = monthTable(map[int]string{
	1: "januar январ tammiku", 2: "februar феврал helmiku", 3: "maaliskuu március", 4: "april апрел huhtiku", 5: "toukoku május",
	6: "kesäku június", 7: "heinäku július", 8: "august август eloku", 9: "septemb сентябр syysku szeptemb", 10: "octob oktob октябр lokaku októb",
	11: "novemb ноябр marrasku", 12: "decemb dezemb декабр jouluku",
})

func monthTable(names map[int]string) map[string]int {
	table := make(map[string]int)
	for month, list := range names {
		for name := range strings.FieldsSeq(list) {
			if other := table[name]; other == 0 || other < month {
				table[name] = month // Croatian and Polish listopada: the later, so that nothing is sent too early
			}
		}
	}
	return table
}

// weekdays are the names of days that people say instead of a date.
var weekdays = weekdayTable([]string{
	time.Sunday:    `sunday sonntag dimanche domingo domenica zondag niedzieli niedziela niedzielę söndag søndag sunnuntaina воскресенье неділю neděli pazar vasárnap duminică κυριακή`,
	time.Monday:    `monday montag lundi lunes lunedì segunda maandag poniedziałek poniedziałku måndag mandag maanantaina понедельник понеділок pondělí pazartesi hétfőn luni δευτέρα`,
	time.Tuesday:   `tuesday dienstag mardi martes martedì terça dinsdag wtorek wtorku tisdag tirsdag tiistaina вторник вівторок úterý salı kedden marți τρίτη`,
	time.Wednesday: `wednesday mittwoch mercredi miércoles mercoledì quarta woensdag środę środy onsdag keskiviikkona среду середу středu çarşamba szerdán miercuri τετάρτη`,
	time.Thursday:  `thursday donnerstag jeudi jueves giovedì quinta donderdag czwartek czwartku torsdag torstaina четверг четвер čtvrtek perşembe csütörtökön joi πέμπτη`,
	time.Friday:    `friday freitag vendredi viernes venerdì sexta vrijdag piątek piątku fredag perjantaina пятницу п'ятницю pátek cuma pénteken vineri παρασκευή`,
	time.Saturday:  `saturday samstag samedi sábado sabato zaterdag sobotę soboty lördag lørdag lauantaina субботу суботу sobotu cumartesi szombaton sâmbătă σάββατο`,
})

func weekdayTable(names []string) map[string]time.Weekday {
	table := make(map[string]time.Weekday)
	for day, list := range names {
		for name := range strings.FieldsSeq(list) {
			table[name] = time.Weekday(day)
		}
	}
	return table
}
