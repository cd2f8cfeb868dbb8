package classify

// order is which of day and month stands first in 3/4.
type order int

const (
	open order = iota
	dayFirst
	monthFirst
)

// orderIn tells the order from a date that has only one reading, or from a
// language in which there is only one. English has both.
func orderIn(text string) order {
	for i := 1; i < len(text)-1; i++ {
		if text[i] != '/' || !isDigit(text[i-1]) || !isDigit(text[i+1]) {
			continue
		}
		begin := i - 1
		for begin > 0 && isDigit(text[begin-1]) && i-begin < 3 {
			begin--
		}
		a, n := number(text[begin:i]), digits(text[i+1:min(len(text), i+4)])
		b := number(text[i+1 : i+1+n])
		switch {
		case n > 2 || begin > 0 && text[begin-1] == '/':
		case 12 < a && a <= 31 && 1 <= b && b <= 12:
			return dayFirst
		case 12 < b && b <= 31 && 1 <= a && a <= 12:
			return monthFirst
		}
	}
	if !englishWords.has(text) {
		return dayFirst
	}
	return open
}

var englishWords = newPhrasebook(map[string]bool{
	`i am; i'm; i'll; i will; the; will be; back; return; returning; until; till; through; thru; out of office; ooo; away; on leave; on vacation; on holiday; this; from; and; office; please; thank; hi; hello`: true,
})
