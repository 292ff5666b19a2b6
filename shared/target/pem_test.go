package target_test

import (
	"encoding/pem"
	"net/http/httptest"
	"testing"

	"github.com/puttrix/trafficinator/shared/target"
)

func TestACertificateFromAnEditorOfWindowsIsRead(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	file := "\ufeff" + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	target.Access{CAFile: "/ca.pem"}.CheckFiles(func(string) ([]byte, error) {
		return []byte(file), nil
	}, func(field, _, message, _ string) {
		t.Errorf("%s %s", field, message)
	})
}
