package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"time"
)

// Channel is a place where people read notices.
type Channel interface {
	// Send hands one message over. Its error is a *Failure and shows no secret.
	Send(ctx context.Context, m Message) error
}

// DingTalk is a custom robot of a DingTalk group. With a secret ("SEC…") each call is
// signed: timestamp in milliseconds and sign in the query, where sign is the Base64 of
// HMAC-SHA256 of "timestamp\nsecret" under the secret, URL-encoded; within an hour.
// https://open.dingtalk.com/document/robots/customize-robot-security-settings
//
// A robot takes 20 messages a minute and is blocked for ten minutes beyond.
// https://open.dingtalk.com/document/robots/custom-robot-access
type DingTalk struct {
	URL    Secret // https://oapi.dingtalk.com/robot/send?access_token=…
	Secret Secret
	Now    func() time.Time
}

// Send implements Channel.
func (d DingTalk) Send(ctx context.Context, m Message) error {
	address := string(d.URL)
	if d.Secret != "" {
		u, err := url.Parse(address)
		if err != nil {
			return &Failure{reason: "the webhook's address is no URL"}
		}
		at := strconv.FormatInt(d.Now().UnixMilli(), 10)
		q := u.Query()
		q.Set("timestamp", at)
		q.Set("sign", sign(string(d.Secret), at+"\n"+string(d.Secret)))
		u.RawQuery = q.Encode()
		address = u.String()
	}
	body := map[string]any{"msgtype": "text", "text": map[string]string{"content": m.Text}}
	// 130101: too fast; -1: the system is busy.
	return coded(ctx, address, body, "errcode", "errmsg", []int{130101, -1}, d.URL, d.Secret)
}

// Feishu is a custom bot of a Feishu or Lark group. With a secret the body bears
// timestamp, in seconds, and sign: the Base64 of HMAC-SHA256 of nothing under
// "timestamp\nsecret"; within an hour. It takes 100 messages a minute, 5 a second.
// https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
type Feishu struct {
	URL    Secret // https://open.feishu.cn/open-apis/bot/v2/hook/…, or open.larksuite.com
	Secret Secret
	Now    func() time.Time
}

// Send implements Channel.
func (f Feishu) Send(ctx context.Context, m Message) error {
	body := map[string]any{"msg_type": "text", "content": map[string]string{"text": m.Text}}
	if f.Secret != "" {
		at := strconv.FormatInt(f.Now().Unix(), 10)
		body["timestamp"] = at
		body["sign"] = sign(at+"\n"+string(f.Secret), "")
	}
	// 11232: too fast.
	return coded(ctx, string(f.URL), body, "code", "msg", []int{11232}, f.URL, f.Secret)
}

// WeCom is a group robot of WeCom (WeChat Work). The key in its address is all that
// proves who calls. It takes 20 messages a minute.
// https://developer.work.weixin.qq.com/document/path/91770
type WeCom struct {
	URL Secret // https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…
}

// Send implements Channel.
func (w WeCom) Send(ctx context.Context, m Message) error {
	body := map[string]any{"msgtype": "text", "text": map[string]string{"content": m.Text}}
	// 45009: too many calls; -1: the system is busy.
	return coded(ctx, string(w.URL), body, "errcode", "errmsg", []int{45009, -1}, w.URL)
}

// sign is the Base64 of HMAC-SHA256.
func sign(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
