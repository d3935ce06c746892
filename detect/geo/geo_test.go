package geo

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// database writes a database with a record for each network.
func database(t testing.TB, kind string, records map[string]mmdbtype.DataType) []byte {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for network, record := range records {
		_, n, err := net.ParseCIDR(network)
		if err == nil {
			err = tree.Insert(n, record)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if _, err := tree.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func in(code string) mmdbtype.Map {
	return mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String(code)}}
}

func countries(t testing.TB) []byte {
	return database(t, "GeoLite2-Country", map[string]mmdbtype.DataType{
		"192.0.2.0/24": in("DE"), "198.51.100.0/25": in("CN"), "2001:db8::/32": in("BR"),
		"203.0.113.0/24": mmdbtype.Map{"continent": mmdbtype.Map{"code": mmdbtype.String("AN")}},
	})
}

func save(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.mmdb")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnAddressHasTheCountryOfItsNetwork(t *testing.T) {
	d, err := Open(save(t, countries(t)))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // looked up, and remembered
		for addr, want := range map[string]string{
			"192.0.2.9": "DE", "198.51.100.127": "CN", "198.51.100.128": "", "203.0.113.1": "", "10.0.0.1": "",
			"2001:db8::9": "BR", "2001:db9::9": "", "::ffff:192.0.2.9": "DE", "fe80::1%eth0": "",
		} {
			if got := d.Country(netip.MustParseAddr(addr)); got != want {
				t.Errorf("%s is in %q, want %q", addr, got, want)
			}
		}
	}
}

func TestAnAddressThatComesAgainIsLookedUpOnce(t *testing.T) {
	d, err := Open(save(t, countries(t)))
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddr("192.0.2.9")
	if allocated := testing.AllocsPerRun(1000, func() { d.Country(addr) }); allocated > 0 || d.Lookups != 1 {
		t.Errorf("%v allocations, %d lookups", allocated, d.Lookups)
	}
}

func TestAFileThatIsNoCountryDatabaseIsNamed(t *testing.T) {
	good := countries(t)
	asn := database(t, "GeoLite2-ASN", map[string]mmdbtype.DataType{"192.0.2.0/24": mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(64500)}})
	for _, c := range []struct {
		name, path, want string
	}{
		{"missing", filepath.Join(t.TempDir(), "none.mmdb"), "no such file"},
		{"a folder", t.TempDir(), "is no file"},
		{"empty", save(t, nil), "not in MaxMind's format"},
		{"text", save(t, []byte("hello\n")), "not in MaxMind's format"},
		{"cut off", save(t, good[:len(good)/2]), "not in MaxMind's format"},
		{"of something else", save(t, asn), "(GeoLite2-ASN): it knows no countries"},
		{"without networks", save(t, database(t, "GeoLite2-Country", nil)), "it knows no countries"},
		{"a country that is a number", save(t, database(t, "x", map[string]mmdbtype.DataType{"192.0.2.0/24": mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.Uint32(1)}}})), "damaged"},
	} {
		_, err := Open(c.path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: error %v, want one with the path and %q", c.name, err, c.want)
		}
	}
}

// A damaged database answers wrongly at worst.
func FuzzOpen(f *testing.F) {
	good := countries(f)
	for _, at := range []int{0, 10, len(good) / 3, len(good) / 2, len(good) - 80, len(good) - 20} {
		bad := bytes.Clone(good)
		bad[at] ^= 0x55
		f.Add(bad)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Open(save(t, data))
		if err != nil {
			return
		}
		for _, addr := range []string{"192.0.2.9", "2001:db8::9", "255.255.255.255", "::"} {
			d.Country(netip.MustParseAddr(addr))
		}
	})
}

func BenchmarkCountry(b *testing.B) {
	d, err := Open(save(b, countries(b)))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("again", func(b *testing.B) {
		addr := netip.MustParseAddr("192.0.2.9")
		for b.Loop() {
			d.Country(addr)
		}
	})
	b.Run("always another", func(b *testing.B) {
		b.ReportAllocs()
		addr := netip.MustParseAddr("198.51.0.0")
		for b.Loop() {
			addr = addr.Next()
			d.Country(addr)
		}
	})
}
