package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestCallLogIsALineOfJSONForEachCall(t *testing.T) {
	var log bytes.Buffer
	cloud, c := newWorld(t, Options{CallLog: &log})
	c.override = map[string]string{"SecurityToken": "hush"}
	id := c.firewall("AddControlPolicy", policyArgs()...).text("RequestId")
	cloud.Inject(Fault{Kind: FaultThrottle})
	c.want("Throttling.User", versionCloudfw, "DescribeAddressBook")
	c.id = "nobody"
	c.want("InvalidAccessKeyId.NotFound", versionCloudfw, "DescribeAddressBook")
	lines := strings.SplitAfter(strings.TrimSuffix(log.String(), "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("got %q", lines)
	}
	for i, want := range cloud.Calls() {
		var got Call
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil || got.Action != want.Action || got.Code != want.Code || got.Fault != want.Fault || got.RequestID != want.RequestID {
			t.Errorf("line %d: got %s, %v, want %+v", i+1, lines[i], err, want)
		}
	}
	if !strings.Contains(lines[0], id) {
		t.Errorf("the request id %s is not in %s", id, lines[0])
	}
	for _, secret := range []string{"hush", "nobody", "Signature", "nonce-"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if err := cloud.LogError(); err != nil {
		t.Error(err)
	}
}

type fullDisk struct{ writes int }

func (d *fullDisk) Write([]byte) (int, error) {
	d.writes++
	return 0, errors.New("no space left")
}

func TestABrokenCallLogIsToldAndStopsNothing(t *testing.T) {
	disk := &fullDisk{}
	cloud, c := newWorld(t, Options{CallLog: disk})
	c.firewall("DescribeAddressBook")
	c.firewall("DescribeAddressBook")
	if err := cloud.LogError(); err == nil || !strings.Contains(err.Error(), "no space left") || disk.writes != 1 {
		t.Errorf("got %v after %d writes", err, disk.writes)
	}
}
