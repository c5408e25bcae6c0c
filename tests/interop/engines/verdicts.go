// What Go's library says of certificates: one line each, "good" or "refused: why".
//
// Arguments: how, the root, certificates, --, files: every certificate is judged by the first file,
// then every one by the second, and so on. How is one of
//
//	verify  crypto/x509's path validation, which takes no CRL and asks no responder: the file
//	        counts for nothing
//	list    the same, and then what Go has for CRLs (PEM, one or several in a file): parsing and
//	        CheckSignatureFrom. That the serial number is looked for, and that nextUpdate is over,
//	        is this program's doing, as it must be that of whoever uses the library: it looks at
//	        nothing that Go itself does not look at
//	answer  the same, with golang.org/x/crypto/ocsp: ParseResponseForCert. Here a file belongs to
//	        the certificate at the same place, and nextUpdate is again this program's doing
package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/crypto/ocsp"
)

func main() {
	how, root := os.Args[1], read(os.Args[2])
	certificates, files := split(os.Args[3:])
	if how == "answer" {
		for number, certificate := range certificates {
			say(verify(certificate, root), byAnswer(certificate, root, contents(files[number])))
		}
		return
	}
	for _, file := range files {
		for _, certificate := range certificates {
			if how == "list" {
				say(verify(certificate, root), byLists(certificate, root, contents(file)))
			} else {
				say(verify(certificate, root))
			}
		}
	}
}

func verify(certificate, root *x509.Certificate) error {
	roots := x509.NewCertPool()
	roots.AddCert(root)
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	_, err := certificate.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: usages})
	return err
}

func byLists(certificate, issuer *x509.Certificate, lists []byte) error {
	for block, rest := pem.Decode(lists); block != nil; block, rest = pem.Decode(rest) {
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return err
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
	}
	return nil
}

func byAnswer(certificate, issuer *x509.Certificate, answer []byte) error {
	response, err := ocsp.ParseResponseForCert(answer, certificate, issuer)
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

func say(outcomes ...error) {
	for _, err := range outcomes {
		if err != nil {
			fmt.Println("refused:", err)
			return
		}
	}
	fmt.Println("good")
}

func split(arguments []string) ([]*x509.Certificate, []string) {
	var certificates []*x509.Certificate
	for number, argument := range arguments {
		if argument == "--" {
			return certificates, arguments[number+1:]
		}
		certificates = append(certificates, read(argument))
	}
	return certificates, nil
}

func read(file string) *x509.Certificate {
	block, _ := pem.Decode(contents(file))
	if block == nil {
		panic(file + ": no PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		panic(err)
	}
	return certificate
}

func contents(file string) []byte {
	octets, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	return octets
}
