// What Go's library says of certificates: one line each, "good" or "refused: why".
//
// Arguments: how, the root, certificates, --, files: every certificate is judged by the first file,
// then every one by the second, and so on. Behind a certificate, its file may have those of the CAs
// above it, without the root's. How is one of
//
//	verify  crypto/x509's path validation, for the purposes that the certificate has; it takes no
//	        CRL and asks no responder: the file counts for nothing
//	list    the same, and then what Go has for CRLs (PEM, one or several in a file): parsing and
//	        CheckSignatureFrom. That a list is its issuer's by name, that the serial number is looked
//	        for, and that nextUpdate is over, is this program's doing, as it must be that of whoever
//	        uses the library: it looks at nothing else that Go itself does not look at
//	answer  the same, with golang.org/x/crypto/ocsp: ParseResponseForCert. Here a file belongs to
//	        the certificate at the same place, and nextUpdate is again this program's doing
package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/crypto/ocsp"
)

func main() {
	how, root := os.Args[1], read(os.Args[2])[0]
	paths, files := split(os.Args[3:])
	if how == "answer" {
		for number, path := range paths {
			chain, err := verify(path, root)
			if err == nil {
				err = byAnswer(chain, contents(files[number]))
			}
			say(err)
		}
		return
	}
	for _, file := range files {
		for _, path := range paths {
			chain, err := verify(path, root)
			if err == nil && how == "list" {
				err = byLists(chain, contents(file))
			}
			say(err)
		}
	}
}

// The first chain that Go finds from the certificate to the root, both included.
func verify(path []*x509.Certificate, root *x509.Certificate) ([]*x509.Certificate, error) {
	options := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), KeyUsages: path[0].ExtKeyUsage,
	}
	options.Roots.AddCert(root)
	for _, above := range path[1:] {
		options.Intermediates.AddCert(above)
	}
	if len(options.KeyUsages) == 0 {
		options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	}
	chains, err := path[0].Verify(options)
	if err != nil {
		return nil, err
	}
	return chains[0], nil
}

func byLists(chain []*x509.Certificate, lists []byte) error {
	for level, certificate := range chain[:len(chain)-1] {
		if err := byListsOf(certificate, chain[level+1], lists); err != nil {
			return err
		}
	}
	return nil
}

func byListsOf(certificate, issuer *x509.Certificate, lists []byte) error {
	found := false
	for block, rest := pem.Decode(lists); block != nil; block, rest = pem.Decode(rest) {
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return err
		}
		if !bytes.Equal(list.RawIssuer, certificate.RawIssuer) {
			continue
		}
		if err := list.CheckSignatureFrom(issuer); err != nil {
			return err
		}
		if time.Now().After(list.NextUpdate) {
			return errors.New("the CRL is over")
		}
		for _, entry := range list.RevokedCertificates {
			if entry.SerialNumber.Cmp(certificate.SerialNumber) == 0 {
				return errors.New("revoked")
			}
		}
		found = true
	}
	if !found {
		return errors.New("no CRL of this issuer")
	}
	return nil
}

func byAnswer(chain []*x509.Certificate, answer []byte) error {
	response, err := ocsp.ParseResponseForCert(answer, chain[0], chain[1])
	if err != nil {
		return err
	}
	if time.Now().After(response.NextUpdate) {
		return errors.New("the answer is over")
	}
	if response.Status != ocsp.Good {
		return fmt.Errorf("status %d, reason %d", response.Status, response.RevocationReason)
	}
	return nil
}

func say(err error) {
	if err != nil {
		fmt.Println("refused:", err)
	} else {
		fmt.Println("good")
	}
}

func split(arguments []string) ([][]*x509.Certificate, []string) {
	var paths [][]*x509.Certificate
	for number, argument := range arguments {
		if argument == "--" {
			return paths, arguments[number+1:]
		}
		paths = append(paths, read(argument))
	}
	return paths, nil
}

func read(file string) []*x509.Certificate {
	var certificates []*x509.Certificate
	text := contents(file)
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			panic(file + ": " + err.Error())
		}
		certificates = append(certificates, certificate)
	}
	return certificates
}

func contents(file string) []byte {
	octets, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	return octets
}
