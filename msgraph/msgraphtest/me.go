package msgraphtest

import (
	"slices"
	"strings"
)

// defaultUser are the properties of a user that come without $select
// (https://learn.microsoft.com/graph/api/user-get).
var defaultUser = [...]string{
	"businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName", "id",
}

func (c *call) me() *failure {
	if f := c.query.only("$select"); f != nil {
		return f
	}
	given, surname, _ := strings.Cut(c.box.Name(), " ")
	var proxies []string
	for i, a := range c.box.Addresses() {
		kind := "smtp:"
		if i == 0 {
			kind = "SMTP:"
		}
		proxies = append(proxies, kind+a)
	}
	nick, _, _ := strings.Cut(c.box.Address(), "@")
	all := map[string]any{
		"id": c.grant.person.object, "displayName": c.box.Name(), "givenName": orNull(given), "surname": orNull(surname),
		"mail": c.box.Address(), "userPrincipalName": c.grant.person.upn, "mailNickname": nick, "proxyAddresses": proxies, "otherMails": []string{},
		"businessPhones": []string{}, "jobTitle": nil, "mobilePhone": nil, "officeLocation": nil, "preferredLanguage": "en-US",
		"accountEnabled": true, "userType": "Member",
	}
	fields := c.query.list("$select")
	if len(fields) == 0 {
		fields = slices.Clone(defaultUser[:])
	}
	out := make(map[string]any)
	for _, name := range fields {
		v, ok := all[name]
		if !ok {
			return badQuery("Parsing OData Select and Expand failed: Could not find a property named '" + name + "' on type 'microsoft.graph.user'.")
		}
		out[name] = v
	}
	c.ok("users/$entity", out)
	return nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
