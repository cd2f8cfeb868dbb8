package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// aboutTokens has the token refreshed and looks at the answers.
func (p *probe) aboutTokens(ctx context.Context) error {
	tok, err := p.prov.tokens.Token(ctx)
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	before := p.answers()
	p.prov.tokens.Refused(ctx, tok, errors.New("the probe wants another token"))
	if _, err := p.prov.tokens.Token(ctx); err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	scope, answers, rotated, _, _ := p.wire.heard()
	value := yesNo(rotated)
	if answers == before {
		value = "unknown"
	}
	p.report.see("RotatesRefreshTokens", value, "a refresh answered with another refresh token")
	if p.prov.Kind() == provider.Gmail {
		p.report.see("ShortScopes", yesNo(slices.Contains(strings.Fields(scope), "email")), "the token answer says email, not its URL")
		return nil
	}
	p.report.see("FullScopes", yesNo(strings.Contains(scope, "https://")), "the token answer spells scopes as URLs")
	asked := []string{"openid", "profile", "email", "offline_access", "User.Read", "Mail.Send", "Mail.Read"}
	wider := slices.ContainsFunc(strings.Fields(scope), func(s string) bool {
		return !slices.ContainsFunc(asked, func(a string) bool { return strings.EqualFold(a, s[strings.LastIndexByte(s, '/')+1:]) })
	})
	p.report.see("WidensScopes", yesNo(wider), "the token has scopes that were not asked for; false says nothing if this app never had others")
	return nil
}

func (p *probe) answers() int {
	_, n, _, _, _ := p.wire.heard()
	return n
}

// aboutGmail is what only Gmail has.
func (p *probe) aboutGmail() {
	_, _, _, added, labelled := p.wire.heard()
	value := yesNo(labelled == 0)
	if added == 0 {
		value = "unknown"
	}
	p.report.see("HistoryWithoutLabels", value, fmt.Sprintf("%d of %d messages added to the history came with labels", labelled, added))
	p.report.see("NoIssuer", yesNo(p.report.value("SendsIssuer") == "false"), "see SendsIssuer")
	p.report.see("TestingMode", "unknown", "a refresh token that dies after seven days can't be waited for")
	p.report.see("PushesText", "unknown", "the probe has no address that pushes could reach")
	p.report.see("PushesURLSafe", "unknown", "the probe has no address that pushes could reach")
	p.report.see("AnnouncesEnd", "unknown", "only a client whose consent screen is in testing can be told so")
}

// rows is the part of Graph's answers that the probe looks at.
type rows struct {
	Value []graphMessage `json:"value"`
	Next  string         `json:"@odata.nextLink"`
	Delta string         `json:"@odata.deltaLink"`
}

type graphMessage struct {
	ID       string            `json:"id"`
	Headers  []json.RawMessage `json:"internetMessageHeaders"`
	Extended []struct {
		ID string `json:"id"`
	} `json:"singleValueExtendedProperties"`
}

// class is an extended property that every message has.
const class = "singleValueExtendedProperties($filter=id eq 'String 0x001A')"

// deltaFrom starts a delta of the inbox with what came since the probe began,
// and returns the link of its next round.
func (p *probe) deltaFrom(ctx context.Context) (next string, first []graphMessage, err error) {
	return p.round(ctx, "/me/mailFolders/inbox/messages/delta?"+url.Values{
		"$select": {"id"}, "$expand": {class}, "$filter": {"receivedDateTime ge " + p.report.began.UTC().Add(-time.Minute).Format(time.RFC3339)},
	}.Encode())
}

// round follows a delta to its end.
func (p *probe) round(ctx context.Context, at string) (next string, all []graphMessage, err error) {
	for {
		var page rows
		if err := p.graph(ctx, at, &page); err != nil {
			return "", nil, err
		}
		all = append(all, page.Value...)
		if page.Next == "" {
			return page.Delta, all, nil
		}
		at = page.Next
	}
}

// aboutGraph is what only Graph has. Since is the link of a delta from before
// the first mail, and m a mail that arrived since.
func (p *probe) aboutGraph(ctx context.Context, since string, m mail) error {
	next, came, err := p.round(ctx, since)
	if err != nil {
		return fmt.Errorf("delta: %w", err)
	}
	expanded := slices.ContainsFunc(came, func(m graphMessage) bool { return len(m.Extended) > 0 })
	p.report.see("DeltaWithoutProperties", known(len(came) > 0, !expanded), "$expand has no effect in a delta")
	_, again, err := p.round(ctx, next)
	if err != nil {
		return fmt.Errorf("delta: %w", err)
	}
	p.report.see("DeltaReplays", known(len(came) > 0, len(again) > 0), fmt.Sprintf("a round after which nothing came told %d messages", len(again)))
	p.report.see("DeltaSkipsBrief", "unknown", "the probe may not delete mail")
	p.report.see("WeekOfPushes", "unknown", "the probe has no address that pushes could reach")
	p.report.see("ShortensPushes", "unknown", "the probe has no address that pushes could reach")
	p.report.see("BasicWithoutHeaders", "unknown", "needs a consent to Mail.ReadBasic alone")
	if m.sent == nil {
		return nil
	}
	var one graphMessage
	if err := p.graph(ctx, "/me/messages/"+url.PathEscape(string(m.sent.Ref))+"?"+url.Values{"$select": {"id,internetMessageHeaders"}, "$expand": {class}}.Encode(), &one); err != nil {
		return fmt.Errorf("the copy in Sent: %w", err)
	}
	p.report.see("SentCopyHeaders", yesNo(len(one.Headers) > 0), fmt.Sprintf("the copy in Sent has %d internetMessageHeaders", len(one.Headers)))
	if len(one.Extended) > 0 {
		p.report.see("PropertyIDsAsAsked", yesNo(one.Extended[0].ID == "String 0x001A"), "the property asked for as String 0x001A came back as "+one.Extended[0].ID)
	}
	return nil
}

func known(told, value bool) string {
	if !told {
		return "unknown"
	}
	return yesNo(value)
}

// graph asks Graph for what the module's interface has no word for. Where is
// a path, or a link that Graph gave.
func (p *probe) graph(ctx context.Context, where string, into any) error {
	if !strings.HasPrefix(where, p.api+"/") {
		if strings.Contains(where, "://") {
			return errors.New("a link leads to another host; it was not followed")
		}
		where = p.api + where
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return err
	}
	tok, err := p.prov.tokens.Token(ctx)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+tok.AccessToken)
	req.Header.Set("Prefer", `IdType="ImmutableId"`)
	resp, err := p.wire.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, most)).Decode(into)
}
