// Java's PKIX path validation with revocation, over many certificates in one start.
// Arguments: root (in the same file those between it and the judged ones), CRLs (one file), then
// "good" or "revoked" and a certificate, again and again.

import java.io.FileInputStream;
import java.security.cert.*;
import java.util.*;

public class Judge {
    public static void main(String[] arguments) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        List<X509Certificate> authorities = new ArrayList<>();
        Collection<? extends CRL> crls;
        try (FileInputStream in = new FileInputStream(arguments[0])) {
            for (Certificate one : factory.generateCertificates(in)) {
                authorities.add((X509Certificate) one);
            }
        }
        try (FileInputStream in = new FileInputStream(arguments[1])) {
            crls = factory.generateCRLs(in);
        }
        int faults = 0;
        for (int i = 2; i + 1 < arguments.length; i += 2) {
            String verdict = verdict(factory, authorities, crls, arguments[i + 1]);
            boolean expected = arguments[i].equals("good")
                ? verdict.equals("good") : verdict.contains("REVOKED");
            if (!expected) {
                faults++;
                System.out.println(arguments[i + 1] + ": " + verdict + ", expected " + arguments[i]);
            }
        }
        System.out.println((arguments.length - 2) / 2 + " judged, " + faults + " faults");
        System.exit(faults == 0 ? 0 : 1);
    }

    private static String verdict(CertificateFactory factory, List<X509Certificate> authorities,
            Collection<? extends CRL> crls, String file) throws Exception {
        X509Certificate certificate;
        try (FileInputStream in = new FileInputStream(file)) {
            certificate = (X509Certificate) factory.generateCertificate(in);
        }
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(authorities.get(0), null)));
        parameters.addCertStore(
            CertStore.getInstance("Collection", new CollectionCertStoreParameters(crls)));
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOptions(EnumSet.of(
            PKIXRevocationChecker.Option.PREFER_CRLS, PKIXRevocationChecker.Option.NO_FALLBACK));
        parameters.addCertPathChecker(checker);
        List<X509Certificate> path = new ArrayList<>(List.of(certificate));
        path.addAll(authorities.subList(1, authorities.size()));
        try {
            validator.validate(factory.generateCertPath(path), parameters);
            return "good";
        } catch (CertPathValidatorException refused) {
            return refused.getReason() + ": " + refused.getMessage();
        }
    }
}
