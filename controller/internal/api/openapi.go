package api

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/hit"
)

// kinds says in the document which kinds of hits and types of steps there are: the user interface is checked to have
// words for each.
func kinds(schemas map[string]*huma.Schema) {
	for _, kind := range hit.Rows {
		for _, property := range []string{"kind", "records"} {
			of := schemas["PreviewHit"].Properties[property]
			of.Enum = append(of.Enum, kind.Name)
		}
	}
	for _, name := range funnel.Types {
		of := schemas["FunnelStep"].Properties["type"]
		of.Enum = append(of.Enum, name)
	}
}
