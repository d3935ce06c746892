package main

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strconv"
	"time"

	"fwsync/detect"
	"fwsync/sync/reconcile"
)

func (a addressAnswer) appendJSON(b []byte) []byte {
	b = append(b, "{\n      \"address\": "...)
	b = appendAddr(b, a.Address)
	b = append(b, ",\n      \"signals\": "...)
	b = a.Signals.appendJSON(b, "\n        ")
	b = appendTime(b, ",\n      \"first_seen\": ", a.FirstSeen)
	b = appendTime(b, ",\n      \"last_seen\": ", a.LastSeen)
	for i, rule := range a.Detected {
		if i == 0 {
			b = append(b, ",\n      \"detected\": ["...)
		} else {
			b = append(b, ',')
		}
		b = appendText(b, "\n        ", rule)
	}
	if len(a.Detected) > 0 {
		b = append(b, "\n      ]"...)
	}
	return append(b, "\n    }"...)
}

func appendDetection(b []byte, d reconcile.DetectionReport) []byte {
	b = appendText(b, "{\n      \"prefix\": ", d.Prefix)
	b = appendText(b, ",\n      \"rule\": ", d.Rule)
	if d.Account != "" {
		b = appendText(b, ",\n      \"account\": ", d.Account)
	}
	b = appendInt(b, ",\n      \"count\": ", int64(d.Count))
	b = appendInt(b, ",\n      \"peak\": ", int64(d.Peak))
	b = appendInt(b, ",\n      \"threshold\": ", int64(d.Threshold))
	b = appendInt(b, ",\n      \"within_seconds\": ", d.Within)
	if d.Members != 0 {
		b = appendInt(b, ",\n      \"members\": ", int64(d.Members))
	}
	b = appendScore(b, &d.Score)
	b = appendTime(b, ",\n      \"first_seen\": ", d.FirstSeen)
	b = appendTime(b, ",\n      \"last_seen\": ", d.LastSeen)
	b = appendTime(b, ",\n      \"crossed_at\": ", d.CrossedAt)
	if d.Continued {
		b = append(b, ",\n      \"continued\": true"...)
	}
	b = strconv.AppendBool(append(b, ",\n      \"blocked\": "...), d.Blocked)
	if !d.Until.IsZero() {
		b = appendTime(b, ",\n      \"until\": ", d.Until)
	}
	if d.Withheld != "" {
		b = appendText(b, ",\n      \"withheld\": ", d.Withheld)
	}
	b = append(b, ",\n      \"evidence\": ["...)
	for i, e := range d.Evidence {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, "\n        {\n          \"source\": ", e.Source)
		b = appendText(b, ",\n          \"file\": ", e.File)
		b = appendInt(b, ",\n          \"line\": ", e.Line)
		b = appendInt(b, ",\n          \"offset\": ", e.Offset)
		b = appendText(b, ",\n          \"hash\": ", e.Hash)
		b = appendText(b, ",\n          \"text\": ", e.Text)
		b = append(b, "\n        }"...)
	}
	if len(d.Evidence) > 0 {
		b = append(b, "\n      "...)
	}
	return append(b, "]\n    }"...)
}

func appendScore(b []byte, s *reconcile.Score) []byte {
	b = appendInt(b, ",\n      \"score\": {\n        \"total\": ", int64(s.Total))
	b = appendInt(b, ",\n        \"count\": ", int64(s.Count))
	b = appendInt(b, ",\n        \"weight\": ", int64(s.Weight))
	if s.Success {
		b = append(b, ",\n        \"success\": true"...)
	}
	if s.Known {
		b = append(b, ",\n        \"known\": true"...)
	}
	return append(b, "\n      }"...)
}

// kindCounts is an object with a number for each kind.
type kindCounts struct {
	names  *detect.Catalogue
	counts []detect.KindCount
}

func (c kindCounts) MarshalJSON() ([]byte, error) { return c.appendJSON(nil, ""), nil }

func (c kindCounts) appendJSON(b []byte, indent string) []byte {
	if len(c.counts) == 0 {
		return append(b, "{}"...)
	}
	b = append(b, '{')
	for i, k := range c.counts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, indent...), '"'), c.names.Name(k.Kind)...)
		b = strconv.AppendInt(append(b, `": `...), int64(k.Count), 10)
	}
	if indent != "" {
		b = append(b, indent[:len(indent)-2]...)
	}
	return append(b, '}')
}

func appendAddr(b []byte, a netip.Addr) []byte {
	return append(a.AppendTo(append(b, '"')), '"')
}

func appendInt(b []byte, key string, n int64) []byte {
	return strconv.AppendInt(append(b, key...), n, 10)
}

func appendTime(b []byte, key string, t time.Time) []byte {
	b = append(append(b, key...), '"')
	return append(t.AppendFormat(b, time.RFC3339Nano), '"')
}

func appendText(b []byte, key, s string) []byte {
	b = append(b, key...)
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			var text bytes.Buffer
			enc := json.NewEncoder(&text)
			enc.SetEscapeHTML(false)
			if enc.Encode(s) == nil {
				b = append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
			}
			return b
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
