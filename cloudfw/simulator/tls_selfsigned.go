package simulator

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// throwawayAge is how long a self-signed certificate lasts.
const throwawayAge = 7 * 24 * time.Hour

const throwawayName = "fake cloud simulator, throwaway authority"

// SelfSigned makes a certificate for localhost, 127.0.0.1 and ::1 and the
// throwaway authority that signed it, which clients must trust: caPEM. Both end
// after 7 days. The authority's key is forgotten at once and its certificate vouches
// for loopback names only, so that trusting it opens nothing else.
func SelfSigned(now time.Time) (leaf tls.Certificate, caPEM []byte, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("making a self-signed certificate: %w", err)
		}
	}()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return leaf, nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return leaf, nil, err
	}
	loopback := []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
		{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
	ca := &x509.Certificate{
		Subject: pkix.Name{CommonName: throwawayName}, SerialNumber: newSerial(),
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(throwawayAge),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"localhost"}, PermittedIPRanges: loopback,
	}
	caRaw, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return leaf, nil, err
	}
	if ca, err = x509.ParseCertificate(caRaw); err != nil {
		return leaf, nil, err
	}
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, SerialNumber: newSerial(), NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}, ca, key.Public(), caKey)
	if err != nil {
		return leaf, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caRaw}), nil
}

// IsThrowawayAuthority tells whether the text is an authority made by SelfSigned, and
// nothing else.
func IsThrowawayAuthority(text []byte) bool {
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return false
	}
	ca, err := x509.ParseCertificate(block.Bytes)
	return err == nil && ca.Subject.CommonName == throwawayName
}

func newSerial() *big.Int {
	raw := make([]byte, 16)
	// It never fails, see crypto/rand.
	_, _ = rand.Read(raw)
	return new(big.Int).SetBytes(raw)
}
