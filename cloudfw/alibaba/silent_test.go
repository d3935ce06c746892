package alibaba

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fwsync/cloudfw/simulator"
)

// answersNothingForUnknown is a rig whose service answers the listing of an unknown
// border with no policies instead of an error.
func answersNothingForUnknown(t *testing.T, o simulator.Options) *rig {
	t.Helper()
	cloud, err := simulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		q := req.URL.Query()
		if id := q.Get("NatGatewayId") + q.Get("VpcFirewallId"); strings.HasSuffix(id, "-unknown") && strings.HasSuffix(q.Get("Action"), "ControlPolicy") && strings.HasPrefix(q.Get("Action"), "Describe") {
			_, err := w.Write([]byte(`{"RequestId":"R-1","TotalCount":"0","Policys":[]}`))
			if err != nil {
				t.Error(err)
			}
			return
		}
		cloud.Handler().ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r := openAt(t, server)
	r.cloud = cloud
	return r
}
