package store

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// timestampLayout is RFC 3339 of constant width, so that texts sort as times do.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// timestamp is a time as the database holds it. The zero time is NULL.
type timestamp struct{ time.Time }

func (s *Store) timestamp() timestamp { return timestamp{s.now()} }

// Value implements driver.Valuer.
func (t timestamp) Value() (driver.Value, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.UTC().Format(timestampLayout), nil
}

// Scan implements sql.Scanner.
func (t *timestamp) Scan(v any) (err error) {
	switch v := v.(type) {
	case nil:
		t.Time = time.Time{}
	case string:
		t.Time, err = time.Parse(time.RFC3339Nano, v)
	default:
		err = fmt.Errorf("read time: %T is not a string", v)
	}
	return err
}

// optional converts a time that may be nil.
func optional(t *time.Time) timestamp {
	if t == nil {
		return timestamp{}
	}
	return timestamp{*t}
}

// pointer returns the time, nil for NULL.
func (t timestamp) pointer() *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t.Time
}
