package exchange

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/shared/runid"
)

// DeletedFile lists runs that were deleted. The controller may not write to the loadgen's state folder, so that the
// loadgen deletes their ledgers at its next start.
const DeletedFile = "deleted.json"

// DeletedRuns are runs whose ledgers nobody needs any more, with the moment of their deletion: what was written after it is
// of another run of that name, and stays.
type DeletedRuns struct {
	Runs map[string]time.Time `json:"runs"`
}

// Encode is the file.
func (d DeletedRuns) Encode() ([]byte, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", DeletedFile, err)
	}
	return append(data, '\n'), nil
}

// ParseDeleted reads the file. An id that no run can have refuses it: it could lead out of the folder.
func ParseDeleted(data []byte) (DeletedRuns, error) {
	var d DeletedRuns
	if err := json.Unmarshal(data, &d); err != nil {
		return DeletedRuns{}, fmt.Errorf("read %s: %w", DeletedFile, err)
	}
	for id := range d.Runs {
		if !runid.Valid(id) {
			return DeletedRuns{}, fmt.Errorf("read %s: invalid RUN_ID %q", DeletedFile, id)
		}
	}
	return d, nil
}
