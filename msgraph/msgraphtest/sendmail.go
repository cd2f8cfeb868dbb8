package msgraphtest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// maxSend is the largest request that Graph takes without an upload session.
const maxSend = 4 << 20

// sendMail accepts a mail, as MIME or as JSON
// (https://learn.microsoft.com/graph/api/user-sendmail). What it accepts goes
// through Drafts and Outbox before it leaves.
func (c *call) sendMail() *failure {
	if f := c.query.only(); f != nil {
		return f
	}
	body, err := io.ReadAll(c.r.Body)
	if err != nil {
		return badQuery("The body of the request could not be read.")
	}
	if len(body) > maxSend {
		return fail(http.StatusRequestEntityTooLarge, "ErrorMessageSizeExceeded", "The message exceeds the maximum supported size.")
	}
	var raw []byte
	save := true
	switch kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";"); strings.ToLower(strings.TrimSpace(kind)) {
	case "text/plain":
		if raw, err = base64.StdEncoding.DecodeString(string(bytes.TrimSpace(body))); err != nil {
			return fail(http.StatusBadRequest, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
		}
	case "application/json":
		var f *failure
		if raw, save, f = c.jsonMail(body); f != nil {
			return f
		}
	default:
		return fail(http.StatusUnsupportedMediaType, "RequestBodyRead", "The request has a media type that is not supported.")
	}
	_, err = c.box.Submit(postoffice.SubmitParams{
		Raw: raw, NoCopy: !save, Lost: c.lostFields(raw),
		Stages: []postoffice.Stage{
			{Label: postoffice.LabelDraft, For: c.s.cfg.Drafts},
			{Label: postoffice.LabelOutbox, For: c.s.cfg.Outbox + c.s.hold(c.box)},
		},
	})
	switch {
	case errors.Is(err, postoffice.ErrNoRecipients):
		return fail(http.StatusBadRequest, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
	case err != nil:
		return fail(http.StatusForbidden, "ErrorSendAsDenied", "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.")
	}
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}

// lostFields are the header fields that don't leave with a mail.
func (c *call) lostFields(raw []byte) []string {
	lost := []string{"Auto-Submitted", "Return-Path"} // reported for MIME too
	if !c.s.cfg.Beliefs.DropsCustomHeaders {
		return lost
	}
	fields, _ := postoffice.Split(raw)
	for _, f := range fields {
		if customHeader(f.Name) {
			lost = append(lost, f.Name)
		}
	}
	return lost
}
