package setup

import (
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// checkText refuses a name and a description with a character which shows as nothing, or turns around what follows: in
// a list or an export they would look like others. at is where they are.
func checkText(at, name, description string, problems *problem.List) {
	if odd, found := textfile.FindInvisibleInLine(name); found {
		problems.Refuse(at+"name", "", "has "+odd.String(), "type it again without that")
	}
	if odd, found := textfile.FindInvisible(description); found {
		problems.Refuse(at+"description", "", "has "+odd.String(), "type it again without that")
	}
}
