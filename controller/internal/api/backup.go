package api

import (
	"context"
	"io"

	"github.com/danielgtaylor/huma/v2"
)

var _ = addRoutes((*server).backup)

func (s *server) backup() {
	const contentType = "application/vnd.sqlite3"
	o := get("/api/backup", tagConfig, "Download a backup of the database").
		describe("Returns a consistent copy, made while the controller is in use. Secrets in it are encrypted.").
		produces(map[string]*huma.Schema{contentType: {Type: huma.TypeString, Format: "binary"}})
	register(s, o, func(ctx context.Context, _ *empty) (*huma.StreamResponse, error) {
		file, err := s.Backup(ctx)
		if err != nil {
			return nil, err
		}
		name := "trafficinator-" + s.Now().UTC().Format("20060102-150405") + ".db"
		return &huma.StreamResponse{Body: func(c huma.Context) {
			defer file.Close() //nolint:errcheck // only read
			c.SetHeader("Content-Type", contentType)
			c.SetHeader("Content-Disposition", attachment(name))
			if _, err := io.Copy(c.BodyWriter(), file); err != nil {
				s.Log.DebugContext(c.Context(), "backup interrupted", "err", err)
			}
		}}, nil
	})
}
