# Runs pkilint over many files in one start and prints one JSON object: file -> list of findings.
# Arguments: pairs of "certificate", "crl" (PEM) or "ocsp" (DER, ends in .ors) and a file.

import contextlib
import io
import json
import sys

from pkilint.bin import lint_crl, lint_ocsp_response, lint_pkix_cert

found = {}
for kind, file in zip(sys.argv[1::2], sys.argv[2::2]):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        if kind == "crl":
            lint_crl.main(["lint", "-t", "CRL", "-p", "PKIX", "-f", "JSON", file])
        elif kind == "ocsp":
            lint_ocsp_response.main(["lint", "-f", "JSON", file])
        else:
            lint_pkix_cert.main(["lint", "-f", "JSON", file])
    report = json.loads(out.getvalue())
    found[file] = [
        {"code": finding["code"], "severity": finding["severity"], "message": finding.get("message")}
        for result in report["results"]
        for finding in result["finding_descriptions"]
    ]
print(json.dumps(found))
