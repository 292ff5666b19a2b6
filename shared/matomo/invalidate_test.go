package matomo_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestInvalidatedReportsAreDistinguishedFromDeletedDays(t *testing.T) {
	t.Parallel()
	days := []string{"2026-01-01", "2026-01-02", "2026-01-03"}
	for name, c := range map[string]struct {
		status  int
		answer  string
		deleted []string
		fails   bool
	}{
		"all are taken": {200,
			`["Success. The following dates were invalidated successfully: 2026-01-01, 2026-01-02, 2026-01-03"]`,
			nil, false},
		"two are older than the raw data": {200,
			`["Warning: the following Dates have not been invalidated, because they are earlier than your Log Deletion limit: 2026-01-01, 2026-01-02\n The last day with logs is 2026-01-03. \n Please disable 'Delete old Logs' or set it to a higher deletion threshold (eg. 180 days or 365 years).'.",` +
				`"Success. The following dates were invalidated successfully: 2026-01-03"]`,
			[]string{"2026-01-01", "2026-01-02"}, false},
		"not allowed": {200,
			`{"result":"error","message":"You can't access this resource as it requires 'admin' access for the website id = 1."}`, nil, true},
		"not allowed from 5.7": {401, `{"result":"error","message":"no"}`, nil, true},
		"no server":            {404, `not found`, nil, true},
	} {
		var asked url.Values
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm() // the values are compared below
			asked = r.PostForm
			if r.URL.RawQuery != "" || r.URL.Path != "/sub/index.php" {
				t.Errorf("%s: asked at %s", name, r.URL)
			}
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.answer))
		}))
		to := target.Target{URL: srv.URL + "/sub/matomo.php", SiteID: 3, Token: good}
		deleted, err := matomo.NewClient(time.Minute, target.Environment{}).Invalidate(context.Background(), to, days)
		srv.Close()
		if (err != nil) != c.fails || !reflect.DeepEqual(deleted, c.deleted) {
			t.Errorf("%s: %v, %v", name, deleted, err)
		}
		if asked.Get("idSites") != "3" || asked.Get("dates") != "2026-01-01,2026-01-02,2026-01-03" ||
			asked.Get("token_auth") != good {
			t.Errorf("%s: asked for %v", name, asked)
		}
	}
}
