//go:build unix

package maillog

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

// pages are two pages of memory that must be read but for what follows them.
func pages(t *testing.T) []byte {
	size := 2 * syscall.Getpagesize()
	memory, err := syscall.Mmap(-1, 0, size+syscall.Getpagesize(), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(memory) })
	if err := syscall.Mprotect(memory[size:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return memory[:size]
}

func TestClientsAreReadQuicklyAsPlainly(t *testing.T) {
	memory := pages(t)
	hosts := rapid.SampledFrom([]string{"", "unknown", "a", "mail6.corp591.example.com", "1-2-3-4.a-rather-long-name.dynamic.provider.example.net", "host\x80", "a b", "a]b", "[", "x\n",
		"a-name-that-is-longer-than-what-is-looked-at-at-once.which-is-sixty-four.example.org"})
	odd := rapid.SampledFrom([]string{"0", "256", "300", "999", "01", "00", "000", "", "1000", "a", "2/", "2:", "1.1"})
	part := rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
			return odd.Draw(t, "odd")
		}
		return fmt.Sprint(rapid.IntRange(0, 255).Draw(t, "part"))
	})
	dots := rapid.SampledFrom([]string{".", ".", ".", ".", ".", ".", ".", ".", "]", ":", "", "/"})
	rests := rapid.SampledFrom([]string{"]", "]", "]", "]: SASL LOGIN", "]:25", "", ".", "}", "]["})
	rapid.Check(t, func(t *rapid.T) {
		text := hosts.Draw(t, "host") + "[" + part.Draw(t, "1") + dots.Draw(t, "a") + part.Draw(t, "2") + dots.Draw(t, "b") + part.Draw(t, "3") + dots.Draw(t, "c") + part.Draw(t, "4") + rests.Draw(t, "rest")
		end := len(memory) - rapid.SampledFrom([]int{0, 1, 16, 40, 64, 97, 300, len(memory) / 2}).Draw(t, "before")
		b := memory[end-len(text) : end]
		copy(b, text)
		b = b[:rapid.IntRange(0, len(b)).Draw(t, "cut")]
		addr, end := clientQuickly(b)
		want, rest, ok := clientPlainly(b)
		if end > 0 && (!ok || asAddr(addr) != want || string(b[end:]) != string(rest)) {
			t.Fatalf("%q: %v, %d, want %v %q %v", b, asAddr(addr), end, want, rest, ok)
		}
	})
}

func asAddr(v4 uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(v4), byte(v4 >> 8), byte(v4 >> 16), byte(v4 >> 24)})
}

// TestOrdinaryClientsAreReadQuickly holds that the test above has tested something.
func TestOrdinaryClientsAreReadQuickly(t *testing.T) {
	if !wide {
		t.Skip("clients are read plainly on this processor")
	}
	memory := pages(t)
	for _, host := range []string{"unknown", "mail.example.org", "a-name-that-is-longer-than-what-is-looked-at.first.example.org"} {
		for _, addr := range []string{"1.2.3.4", "255.255.255.255", "0.0.0.0", "10.200.3.40", "192.0.2.1"} {
			b := append(memory[:0], host+"["+addr+"]: SASL LOGIN"...)
			if got, end := clientQuickly(b); end == 0 || asAddr(got).String() != addr || string(b[end:]) != ": SASL LOGIN" {
				t.Errorf("%q: %v, %d", b, asAddr(got), end)
			}
		}
	}
}
