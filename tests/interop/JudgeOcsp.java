// Java's PKIX path validation that asks the OCSP responder named by the certificates, and nothing
// else. Arguments: root, then "good", "revoked" or "undetermined" and a certificate, again and again.

import java.io.FileInputStream;
import java.security.cert.*;
import java.util.*;

public class JudgeOcsp {
    public static void main(String[] arguments) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate root = read(factory, arguments[0]);
        int faults = 0;
        for (int i = 1; i + 1 < arguments.length; i += 2) {
            String verdict = verdict(factory, root, read(factory, arguments[i + 1]));
            String expected = arguments[i].equals("good") ? "good"
                : arguments[i].equals("revoked") ? "REVOKED" : "UNDETERMINED_REVOCATION_STATUS";
            if (!verdict.startsWith(expected)) {
                faults++;
                System.out.println(arguments[i + 1] + ": " + verdict + ", expected " + expected);
            }
        }
        System.out.println((arguments.length - 1) / 2 + " judged, " + faults + " faults");
        System.exit(faults == 0 ? 0 : 1);
    }

    private static X509Certificate read(CertificateFactory factory, String file) throws Exception {
        try (FileInputStream in = new FileInputStream(file)) {
            return (X509Certificate) factory.generateCertificate(in);
        }
    }

    private static String verdict(CertificateFactory factory, X509Certificate root,
            X509Certificate certificate) throws Exception {
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOptions(EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK));
        parameters.addCertPathChecker(checker);
        try {
            validator.validate(factory.generateCertPath(List.of(certificate)), parameters);
            // Without CRLs and without falling back, nothing but an answer makes it good.
            return "good";
        } catch (CertPathValidatorException refused) {
            return refused.getReason() + ": " + refused.getMessage();
        }
    }
}
