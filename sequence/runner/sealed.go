package runner

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// Everything that is sealed is so in the store's records wherever they are:
// a store.Intent, an Enrollment or an Event in memory holds what is stored.
// What is sealed is bound to the record's id and, where a record has two such
// fields, to the field.

func enrollmentData(id string) string { return "enrollment " + id }
func intentRaw(id string) string      { return "intent " + id }
func intentData(id string) string     { return "intent " + id + " meta" }
func outboxData(key string) string    { return "outbox " + key }

// box seals with the host's Sealer.
func (r *Runner) box() seal.Box {
	return seal.Box{Sealer: r.cfg.Sealer, Plain: r.opts.ReadPlain}
}

// unopened says why a record does not open. That it can't be told now, and
// that the host gave no Sealer or allows no plain rows, is no fault of the
// record.
func unopened(err error) error {
	if seal.Temporary(err) || errors.Is(err, seal.ErrPlain) || errors.Is(err, seal.ErrSealed) {
		return fmt.Errorf("runner: %w", err)
	}
	return fmt.Errorf("runner: %w: %w", errDamaged, err)
}

// sealIntent puts a mail's bytes, which may be none, and its meta into the
// intent.
func (r *Runner) sealIntent(in *store.Intent, raw []byte, meta intentMeta) error {
	data, err := json.Marshal(meta)
	if err != nil {
		return fmt.Errorf("runner: intent %s: %w", in.ID, err)
	}
	if in.Raw, err = r.box().Seal(raw, intentRaw(in.ID)); err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	if in.Meta, err = r.box().Seal(data, intentData(in.ID)); err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	return nil
}

// rawOf opens an intent's bytes.
func (r *Runner) rawOf(in store.Intent) ([]byte, error) {
	raw, err := r.box().Open(in.Raw, intentRaw(in.ID))
	if err != nil {
		return nil, unopened(err)
	}
	return raw, nil
}

// metaOf opens an intent's meta.
func (r *Runner) metaOf(in store.Intent) (intentMeta, error) {
	var meta intentMeta
	data, err := r.box().Open(in.Meta, intentData(in.ID))
	if err != nil {
		return meta, unopened(err)
	}
	if err := json.Unmarshal(data, &meta); err != nil {
		return meta, fmt.Errorf("runner: the data of intent %s: %w: %w", in.ID, errDamaged, err)
	}
	return meta, nil
}

// entryRow is the outbox row of a conversation entry.
func (r *Runner) entryRow(e store.Entry) (store.Event, error) {
	row := store.Event{Key: "entry/" + e.Key, Kind: rowEntry, Enrollment: e.Conversation}
	data, err := json.Marshal(e)
	if err != nil {
		return row, fmt.Errorf("runner: conversation entry %s: %w", e.Key, err)
	}
	if row.Data, err = r.box().Seal(data, outboxData(row.Key)); err != nil {
		return row, fmt.Errorf("runner: %w", err)
	}
	return row, nil
}

// entryOf opens an outbox row.
func (r *Runner) entryOf(row store.Event) (store.Entry, error) {
	var e store.Entry
	data, err := r.box().Open(row.Data, outboxData(row.Key))
	if err != nil {
		return e, fmt.Errorf("runner: %w", err)
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return e, fmt.Errorf("runner: outbox row %s: %w", row.Key, err)
	}
	return e, nil
}

// stored returns the row with state, record and status written into it.
func (r *Runner) stored(l *loaded) (store.Enrollment, error) {
	row := l.row
	state, err := l.st.MarshalBinary()
	if err != nil {
		return row, fmt.Errorf("runner: enrollment %s: %w", row.ID, err)
	}
	data, err := json.Marshal(l.rec)
	if err != nil {
		return row, fmt.Errorf("runner: enrollment %s: %w", row.ID, err)
	}
	if row.Data, err = r.box().Seal(data, enrollmentData(row.ID)); err != nil {
		return row, fmt.Errorf("runner: %w", err)
	}
	row.State, row.Status = state, string(l.status())
	return row, nil
}

// recordOf opens what stored put into the row.
func (r *Runner) recordOf(row store.Enrollment) (record, error) {
	var rec record
	data, err := r.box().Open(row.Data, enrollmentData(row.ID))
	if err != nil {
		return rec, unopened(err)
	}
	if err := json.Unmarshal(data, &rec); err != nil {
		return rec, fmt.Errorf("runner: the data of enrollment %s: %w: %w", row.ID, errDamaged, err)
	}
	return rec, nil
}
