// Package msgraphtest is a fake Microsoft: Entra ID with tenants, consent
// pages and OpenID Connect, and Microsoft Graph, over the mail world of
// package postoffice.
//
// A Server is an http.Handler for two hosts, LoginURL and GraphURL. Start
// listens on two loopback ports; Transport answers without any socket. Time
// is the office's clock: tokens and codes live and die by it.
package msgraphtest
