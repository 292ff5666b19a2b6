package store

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// stampForm is RFC 3339 of constant width, so that texts sort as times do.
const stampForm = "2006-01-02T15:04:05.000Z"

// stamp is a time as the database writes it. The zero time is NULL.
type stamp struct{ time.Time }

// Value implements driver.Valuer.
func (s stamp) Value() (driver.Value, error) {
	if s.IsZero() {
		return nil, nil
	}
	return s.UTC().Format(stampForm), nil
}

// Scan implements sql.Scanner.
func (s *stamp) Scan(v any) (err error) {
	switch v := v.(type) {
	case nil:
		s.Time = time.Time{}
	case string:
		s.Time, err = time.Parse(time.RFC3339Nano, v)
	default:
		err = fmt.Errorf("read time: %T is no text", v)
	}
	return err
}

// stampOf is the stamp of a moment, which is nil for none.
func stampOf(t *time.Time) stamp {
	if t == nil {
		return stamp{}
	}
	return stamp{*t}
}

// moment is the time of a stamp, nil for none.
func (s stamp) moment() *time.Time {
	if s.IsZero() {
		return nil
	}
	return &s.Time
}

func (s *Store) stamp() stamp { return stamp{s.now()} }
