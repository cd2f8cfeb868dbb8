package msgraphtest

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Answer is what a user does on the consent page, or an administrator on the
// page for administrators.
type Answer struct {
	Account string // an address of the mailbox whose owner signs in
	Deny    bool   // Cancel

	// AdminConsent ticks "Consent on behalf of your organization": the
	// consent is for all of the tenant. Only administrators may.
	AdminConsent bool

	// Refuse has Entra send the browser back with this AADSTS number, whoever
	// signed in. RefuseCode is the error that comes with it; empty is what
	// belongs to the number.
	Refuse     int
	RefuseCode string
}

// Consent walks through a consent page as a browser does, over HTTP, and
// returns the address that it is sent back to. The page is one of the
// authorisation endpoint or of the admin consent endpoint. A nil client uses
// Transport; one with a cookie jar stays signed in. What Entra shows on its
// own page, and does not send back with, is an error that has the text.
func (s *Server) Consent(client *http.Client, page string, a Answer) (*url.URL, error) {
	if client == nil {
		client = &http.Client{Transport: s.Transport()}
	}
	browser := *client
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := browser.Get(page)
	if err != nil {
		return nil, fmt.Errorf("msgraphtest: consent page: %w", err)
	}
	text, err := readPage(resp)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusFound {
		return resp.Location() // no question was left
	}
	id, action := attribute(text, `name="request" value="`), attribute(text, `action="`)
	if id == "" || action == "" {
		return nil, errors.New("msgraphtest: the consent page has no form")
	}
	to, err := resp.Request.URL.Parse(action)
	if err != nil {
		return nil, fmt.Errorf("msgraphtest: consent page: %w", err)
	}
	form := url.Values{"request": {id}, "account": {a.Account}, "answer": {"allow"}}
	if a.AdminConsent {
		form.Set("organization", "yes")
	}
	if a.Deny || a.Refuse != 0 {
		form.Set("answer", "deny")
	}
	if a.Refuse != 0 {
		form.Set("refuse", strconv.Itoa(a.Refuse))
		form.Set("refuse_code", a.RefuseCode)
	}
	resp, err = browser.PostForm(to.String(), form)
	if err != nil {
		return nil, fmt.Errorf("msgraphtest: consent: %w", err)
	}
	if _, err := readPage(resp); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusFound {
		return nil, fmt.Errorf("msgraphtest: consent: %s", resp.Status)
	}
	return resp.Location()
}

// readPage returns the page of an answer, or the error that it shows.
func readPage(resp *http.Response) (string, error) {
	b, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return "", fmt.Errorf("msgraphtest: consent page: %w", err)
	}
	text := string(b)
	if resp.StatusCode >= http.StatusBadRequest {
		if _, shown, ok := strings.Cut(text, "<pre>"); ok {
			text, _, _ = strings.Cut(shown, "</pre>")
		}
		return "", fmt.Errorf("msgraphtest: consent page: %s: %s", resp.Status, strings.TrimSpace(html.UnescapeString(text)))
	}
	return text, nil
}

// attribute returns what follows start, up to the quote.
func attribute(page, start string) string {
	_, rest, ok := strings.Cut(page, start)
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(value)
}
