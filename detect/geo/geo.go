// Package geo tells the country of an address from a database in MaxMind's format, such
// as GeoLite2-Country.mmdb or DB-IP's. It is the only importer of the reader. What a
// country means for a detection is not its business.
package geo

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"github.com/oschwald/maxminddb-golang/v2"
)

// maxSize is the largest database that is read; those of cities have some 60 MB. It is
// read into memory as a whole: a file that somebody overwrites in place cannot be
// trusted to stay mapped.
const maxSize = 256 << 20

// remembered is how many addresses' countries are kept, so that an address that comes
// again and again is looked up once.
const remembered = 1 << 12

// Database tells countries. Not safe for concurrent use.
type Database struct {
	reader *maxminddb.Reader
	known  []known
	// Lookups counts those that the database was asked for.
	Lookups int64
}

type known struct {
	addr    netip.Addr
	country string
}

// Open reads a database. One that is damaged, or that knows no countries, is an error.
func Open(path string) (*Database, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, fmt.Errorf("country database %q is not in MaxMind's format, or damaged: %w", path, err)
	}
	d := &Database{reader: reader, known: make([]known, remembered)}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("country database %q (%s): %w", path, reader.Metadata.DatabaseType, err)
	}
	return d, nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the country database: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("opening the country database: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("country database %q is no file", path)
	case info.Size() > maxSize:
		return nil, fmt.Errorf("country database %q has %d bytes, at most %d are read", path, info.Size(), maxSize)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("reading country database %q: %w", path, err)
	}
	return data, nil
}

// check looks for a country in the first thousand networks: databases of other things
// have none.
func (d *Database) check() error {
	n := 0
	for result := range d.reader.Networks() {
		country, err := countryOf(result)
		if err != nil {
			return fmt.Errorf("it is damaged: %w", err)
		}
		if country != "" {
			return nil
		}
		if n++; n == 1000 {
			break
		}
	}
	return errors.New("it knows no countries: it must be one of countries or cities")
}

// Country returns the ISO code of an address's country, "" if the database has none.
func (d *Database) Country(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	slot := &d.known[slotOf(addr)]
	if slot.addr != addr {
		d.Lookups++
		country, err := countryOf(d.reader.Lookup(addr))
		if err != nil {
			country = "" // of IPv6 in a database of IPv4, or where it is damaged
		}
		*slot = known{addr, country}
	}
	return slot.country
}

func slotOf(addr netip.Addr) int {
	h := uint32(2166136261)
	for _, c := range addr.As16() {
		h = (h ^ uint32(c)) * 16777619
	}
	return int(h % remembered)
}

func countryOf(result maxminddb.Result) (string, error) {
	var code string
	if err := result.DecodePath(&code, "country", "iso_code"); err != nil {
		return "", err
	}
	return code, nil
}
