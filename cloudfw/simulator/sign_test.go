package simulator

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestSignature(t *testing.T) {
	awkward := "a b*c~d+e/ü=&%2F"
	for _, tt := range []struct {
		name string
		edit func(*client)
		code string
	}{
		{"a good signature on a query is accepted", func(*client) {}, ""},
		{"a good signature on a form body is accepted", func(c *client) { c.inForm = true }, ""},
		{"a GET is signed as GET", func(c *client) { c.method = http.MethodGet }, ""},
		{"a security token is signed and accepted", func(c *client) { c.override = map[string]string{"SecurityToken": "t/+ ="} }, ""},
		{"a lower-case format is accepted", func(c *client) { c.override = map[string]string{"Format": "json"} }, ""},
		{"an absent signature type is accepted", func(c *client) { c.override = map[string]string{"SignatureType": ""} }, ""},
		{"a wrong secret is refused", func(c *client) { c.secret = "other" }, "SignatureDoesNotMatch"},
		{"an unknown key is refused", func(c *client) { c.id = "nobody" }, "InvalidAccessKeyId.NotFound"},
		{"a missing signature is refused", func(c *client) { c.override = map[string]string{"Signature": ""} }, "MissingSignature"},
		{"a missing key is refused", func(c *client) { c.override = map[string]string{"AccessKeyId": ""} }, "MissingAccessKeyId"},
		{"another method is refused", func(c *client) { c.override = map[string]string{"SignatureMethod": "HMAC-SHA256"} }, "InvalidSignatureMethod"},
		{"a time 15 minutes away is accepted", func(c *client) {
			c.override = map[string]string{"Timestamp": noon.Add(-15 * time.Minute).Format("2006-01-02T15:04:05Z")}
		}, ""},
		{"an old time is refused", func(c *client) {
			c.override = map[string]string{"Timestamp": noon.Add(-15*time.Minute - time.Second).Format("2006-01-02T15:04:05Z")}
		}, "InvalidTimeStamp.Expired"},
		{"a future time is refused", func(c *client) {
			c.override = map[string]string{"Timestamp": noon.Add(15*time.Minute + time.Second).Format("2006-01-02T15:04:05Z")}
		}, "InvalidTimeStamp.Expired"},
		{"a malformed time is refused", func(c *client) { c.override = map[string]string{"Timestamp": "2026-11-23 12:00"} }, "InvalidTimeStamp.Format"},
		{"a missing nonce is refused", func(c *client) { c.override = map[string]string{"SignatureNonce": ""} }, "MissingSignatureNonce"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, c := newWorld(t, Options{})
			tt.edit(c)
			c.want(tt.code, versionCloudfw, "DescribeAddressBook", "Query", awkward)
		})
	}
}

func TestSignatureRefusalHoldsTheStringToSign(t *testing.T) {
	_, c := newWorld(t, Options{})
	c.secret = "other"
	a := c.want("SignatureDoesNotMatch", versionCloudfw, "DescribeAddressBook")
	if !strings.Contains(a.text("Message"), "server string to sign is:POST&%2F&AccessKeyId%3Dsimulator%26Action%3DDescribeAddressBook") {
		t.Errorf("got message %q", a.text("Message"))
	}
	if strings.Contains(a.raw, DefaultSecret+"&\"") {
		t.Errorf("the answer holds the secret: %s", a.raw)
	}
}

func TestNonceReplayIsRefusedUntilItsTimeIsOver(t *testing.T) {
	now := noon
	cloud, c := newWorld(t, Options{Clock: func() time.Time { return now }, SkipTimestamp: true})
	c.override = map[string]string{"SignatureNonce": "once"}
	c.want("", versionCloudfw, "DescribeAddressBook")
	c.want("SignatureNonceUsed", versionCloudfw, "DescribeAddressBook")
	now = now.Add(2*maxSkew + time.Second)
	c.want("", versionCloudfw, "DescribeAddressBook")
	if n := len(cloud.guard.seen); n != 1 {
		t.Errorf("%d nonces are kept, want the old one forgotten", n)
	}
}

func TestNoncesAreBounded(t *testing.T) {
	var g guard
	for n := range keptNonces + 10 {
		if !g.first(strconv.Itoa(n), noon) {
			t.Fatalf("nonce %d is taken for a replay", n)
		}
	}
	if len(g.seen) != keptNonces || len(g.queue) != keptNonces {
		t.Errorf("%d nonces are kept", len(g.seen))
	}
	if g.first(strconv.Itoa(keptNonces), noon) {
		t.Error("a recent nonce is forgotten")
	}
}

func TestARefusedSignatureDoesNotBurnTheNonce(t *testing.T) {
	_, c := newWorld(t, Options{})
	c.override = map[string]string{"SignatureNonce": "once"}
	bad := *c
	bad.secret = "other"
	bad.want("SignatureDoesNotMatch", versionCloudfw, "DescribeAddressBook")
	c.want("", versionCloudfw, "DescribeAddressBook")
}

func TestChecksCanBeSkipped(t *testing.T) {
	_, c := newWorld(t, Options{SkipSignature: true, SkipTimestamp: true, SkipNonce: true})
	c.override = map[string]string{"Signature": "", "AccessKeyId": "", "Timestamp": "", "SignatureNonce": ""}
	c.want("", versionCloudfw, "DescribeAddressBook")
	c.want("", versionCloudfw, "DescribeAddressBook")
}

func TestTemporaryKeys(t *testing.T) {
	const role = "acs:ram::1000000000000001:role/reader"
	now := noon
	world := DefaultWorld()
	world.Roles = []Role{{ARN: role}}
	cloud := newCloud(t, Options{World: &world, Clock: func() time.Time { return now }, SkipTimestamp: true})
	c := serve(t, cloud)
	first, second := assume(c, role), assume(c, role)
	ask := func(what, code string, edit func(*client)) {
		t.Helper()
		s := *first
		s.override = map[string]string{"SecurityToken": first.override["SecurityToken"]}
		edit(&s)
		a := s.call(versionCloudfw, "DescribeAddressBook")
		if a.code() != code {
			t.Errorf("%s: got %s, want %q", what, a.raw, code)
		}
		if strings.Contains(a.raw, first.secret) {
			t.Errorf("%s: the answer holds the secret: %s", what, a.raw)
		}
	}
	ask("a good one", "", func(*client) {})
	ask("no token", "MissingSecurityToken", func(s *client) { s.override = nil })
	ask("no token of ours", "InvalidSecurityToken.Malformed", func(s *client) { s.override["SecurityToken"] = "t/+ =" })
	ask("another key's token", "InvalidSecurityToken.MismatchWithAccessKey", func(s *client) { s.override["SecurityToken"] = second.override["SecurityToken"] })
	ask("a wrong secret", "SignatureDoesNotMatch", func(s *client) { s.secret = second.secret })
	ask("an unknown key", "InvalidAccessKeyId.NotFound", func(s *client) { s.id = "STS.NOBODY" })
	now = now.Add(time.Hour - time.Second)
	ask("the last second", "", func(*client) {})
	now = now.Add(time.Second)
	ask("too late", "InvalidSecurityToken.Expired", func(*client) {})
	c.firewall("DescribeAddressBook")
}

func TestInactiveKeysAreRefused(t *testing.T) {
	_, c := newWorld(t, Options{Keys: map[string]string{"old": "a", "new": "b"}, InactiveKeys: []string{"old"}})
	c.id, c.secret = "old", "a"
	if a := c.want("InvalidAccessKeyId.Inactive", versionCloudfw, "DescribeAddressBook"); a.status != http.StatusBadRequest {
		t.Errorf("status %d", a.status)
	}
	c.id, c.secret = "new", "a"
	c.want("SignatureDoesNotMatch", versionCloudfw, "DescribeAddressBook")
	c.secret = "b"
	c.firewall("DescribeAddressBook")
}
