package record

import "regexp"

var runID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ValidRunID says that a run can be called id: 1 to 64 letters, digits, - and _, so that it can name files anywhere.
func ValidRunID(id string) bool { return runID.MatchString(id) }
