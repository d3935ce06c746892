package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Slack is an incoming webhook of Slack, or of what speaks like it. About one message a
// second is taken.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
type Slack struct {
	URL Secret // https://hooks.slack.com/services/…
}

// slackText escapes what Slack would read as a mention or a link.
var slackText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Send implements Channel.
func (s Slack) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(map[string]string{"text": slackText.Replace(m.Text)})
	if err != nil {
		return &Failure{reason: "encoding the notice: " + err.Error()}
	}
	_, err = post(ctx, string(s.URL), nil, body, s.URL)
	return err
}

// The headers of a signed call of a Webhook.
const (
	TimestampHeader = "X-Fwsync-Timestamp" // seconds since 1970
	SignatureHeader = "X-Fwsync-Signature" // "sha256=" and the hex of HMAC-SHA256 of "timestamp.body" under the secret
)

// Webhook is any program that takes JSON: version, title, text, events, origin. With a
// secret each call is signed; a receiver should refuse old timestamps.
type Webhook struct {
	URL    Secret
	Secret Secret
	Now    func() time.Time
}

// WebhookSchema is the version of what a Webhook posts.
const WebhookSchema = "fwsync.notice/v1"

// Send implements Channel.
func (w Webhook) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(struct {
		Schema  string  `json:"schema"`
		Title   string  `json:"title"`
		Text    string  `json:"text"`
		Events  []Event `json:"events"`
		Origin  Origin  `json:"origin"`
		Dropped int     `json:"dropped"`
	}{WebhookSchema, m.Title, m.Text, m.Events, m.Origin, m.Dropped})
	if err != nil {
		return &Failure{reason: "encoding the notice: " + err.Error()}
	}
	header := http.Header{}
	if w.Secret != "" {
		at := strconv.FormatInt(w.Now().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(w.Secret))
		mac.Write([]byte(at + "."))
		mac.Write(body)
		header.Set(TimestampHeader, at)
		header.Set(SignatureHeader, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	_, err = post(ctx, string(w.URL), header, body, w.URL, w.Secret)
	return err
}
