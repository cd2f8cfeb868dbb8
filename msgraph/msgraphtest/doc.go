// Package msgraphtest is a fake Microsoft: Entra ID with tenants, consent
// pages and OpenID Connect, and Microsoft Graph, over the mail world of
// package postoffice.
//
// A Server is an http.Handler for two hosts, LoginURL and GraphURL. Start
// listens on two loopback ports; Transport answers without any socket. Time
// is the office's clock: tokens and codes live and die by it.
//
// # Tenants and consent
//
// Each mail domain is a tenant with an id of its own, unless SetTenant says
// otherwise; SetAccount tells administrators and sign-in names that differ
// from addresses. Mailboxes of the office that name another service are not
// accounts here.
//
// By default users may let an app send mail but not read it, as new tenants
// have it: the callback says access_denied with AADSTS90094 until an
// administrator consented, on the page (Answer.AdminConsent) or through the
// admin consent endpoint. Tests that are not about this set Config.Policy to
// PolicyAny.
//
// Mistakes that Entra shows on its own page, such as an account of the wrong
// tenant, are errors of Consent: the browser never comes back.
//
// # What is believed
//
// The numbers of errors are documented. Which error and suberror they come
// with is as widely reported, and Microsoft keeps the right to change both.
// Beliefs has the switches.
package msgraphtest
