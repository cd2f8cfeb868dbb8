package msgraphtest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// options are the query options of a request, by their names with the $.
type options map[string]string

// parseOptions reads a query. A semicolon separates nothing: it is part of
// $expand.
func parseOptions(raw string) (options, *failure) {
	out := make(options)
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, badQuery("The query string is not well-formed.")
		}
		if low := strings.ToLower(name); strings.HasPrefix(low, "$") || low == "changetype" {
			name = low
		}
		if _, twice := out[name]; twice {
			return nil, badQuery("Query option '" + name + "' was specified more than once, but it must be specified at most once.")
		}
		out[name] = value
	}
	return out, nil
}

// only refuses options other than those named.
func (o options) only(names ...string) *failure {
	for name := range o {
		if slices.Contains(names, name) {
			continue
		}
		if strings.HasPrefix(name, "$") {
			return badQuery("The query parameter '" + name + "' is not supported.")
		}
		return badQuery("Unrecognized query argument specified: '" + name + "'.")
	}
	return nil
}

// number reads an option that is a number; otherwise is what it is without.
func (o options) number(name string, least, most, otherwise int) (int, *failure) {
	v, ok := o[name]
	if !ok {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		return 0, badQuery("Invalid value '" + v + "' for " + name + " query option found. The " + name + " query option requires an integer between " +
			strconv.Itoa(least) + " and " + strconv.Itoa(most) + ".")
	}
	return n, nil
}

// flag reads an option that is true or false.
func (o options) flag(name string) (bool, *failure) {
	switch strings.ToLower(o[name]) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, badQuery("Invalid value for " + name + " query option found.")
}

// list reads an option that is a list of names.
func (o options) list(name string) []string {
	var out []string
	for v := range strings.SplitSeq(o[name], ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// preferences are what a Prefer header (RFC 7240) asks for that Graph knows.
// It passes over others, as the RFC says.
type preferences struct {
	immutable bool
	text      bool // bodies as text
	page      int  // the most that a page should hold; zero is not said
	applied   []string
}

func parsePrefer(values []string) preferences {
	var p preferences
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		part = strings.TrimSpace(part)
		name, value, _ := strings.Cut(part, "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "idtype":
			p.immutable = strings.EqualFold(value, "ImmutableId")
		case "outlook.body-content-type":
			p.text = strings.EqualFold(value, "text")
		case "odata.maxpagesize":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				continue
			}
			p.page = n
		default:
			continue
		}
		p.applied = append(p.applied, part)
	}
	return p
}

// page is how many rows a page holds.
func (c *call) page(asked int) int {
	if most := c.s.cfg.PageSize; most > 0 {
		return min(asked, most)
	}
	return asked
}

func tooComplex() *failure {
	return fail(http.StatusBadRequest, "InefficientFilter", "The restriction or sort order is too complex for this operation.")
}
