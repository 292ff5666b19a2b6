package api

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

var _ = routes((*server).backup)

func (s *server) backup() {
	o := file(op(http.MethodGet, "/api/backup", tagConfig,
		"A consistent copy of the database; secrets in it are sealed"),
		"application/vnd.sqlite3", &huma.Schema{Type: huma.TypeString, Format: "binary"})
	route(s, o, func(ctx context.Context, _ *empty) (*huma.StreamResponse, error) {
		copied, err := s.Store.Backup(ctx)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			defer copied.Close() //nolint:errcheck // only read
			c.SetHeader("Content-Type", "application/vnd.sqlite3")
			c.SetHeader("Content-Disposition",
				`attachment; filename="trafficinator-`+s.Now().UTC().Format("20060102-150405")+`.db"`)
			if _, err := io.Copy(c.BodyWriter(), copied); err != nil {
				s.Log.DebugContext(c.Context(), "backup not sent whole", "err", err)
			}
		}}, nil
	})
}
