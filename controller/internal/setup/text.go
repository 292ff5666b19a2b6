package setup

import (
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// checkText refuses invisible and direction-changing characters in a name and a description: in a list or an export they
// would look like others. at is the prefix of their place.
func checkText(at, name, description string, problems *problem.List) {
	if odd, found := textfile.FindInvisibleInLine(name); found {
		problems.Refuse(at+"name", "", "has "+odd.String(), "remove that character")
	}
	if odd, found := textfile.FindInvisible(description); found {
		problems.Refuse(at+"description", "", "has "+odd.String(), "remove that character")
	}
}
