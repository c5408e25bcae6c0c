// What a Java provider says of certificates: one line each, "good" or "refused: why".
// Arguments: SUN or BC, the root, certificates, --, files of CRLs: every certificate is judged by the
// first file, then every one by the second, and so on. In place of a file, "ocsp" has the responder
// asked that a certificate names, and no CRL. BC is Bouncy Castle.

import java.io.FileInputStream;
import java.security.Security;
import java.security.cert.*;
import java.util.*;
import org.bouncycastle.jcajce.PKIXExtendedParameters;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public class Verdicts {
    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        // Without this Bouncy Castle asks no responder.
        Security.setProperty("ocsp.enable", "true");
        CertificateFactory factory = CertificateFactory.getInstance("X.509", arguments[0]);
        int end = Arrays.asList(arguments).indexOf("--");
        for (int i = end + 1; i < arguments.length; i++) {
            Collection<? extends CRL> crls = List.of();
            if (!arguments[i].equals("ocsp")) {
                try (FileInputStream in = new FileInputStream(arguments[i])) {
                    crls = factory.generateCRLs(in);
                }
            }
            for (int j = 2; j < end; j++) {
                System.out.println(verdict(factory, arguments, crls, arguments[j]));
            }
        }
    }

    private static String verdict(CertificateFactory factory, String[] arguments,
            Collection<? extends CRL> crls, String file) throws Exception {
        PKIXParameters parameters =
            new PKIXParameters(Set.of(new TrustAnchor(read(factory, arguments[1]), null)));
        parameters.addCertStore(
            CertStore.getInstance("Collection", new CollectionCertStoreParameters(crls)));
        CertPathValidator validator = CertPathValidator.getInstance("PKIX", arguments[0]);
        CertPathParameters given = parameters;
        if (arguments[0].equals("BC") && !crls.isEmpty()) {
            given = new PKIXExtendedParameters.Builder(parameters).setUseDeltasEnabled(true).build();
        } else {
            PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
            checker.setOptions(crls.isEmpty()
                ? EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK)
                : EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS,
                    PKIXRevocationChecker.Option.NO_FALLBACK));
            parameters.addCertPathChecker(checker);
        }
        try {
            validator.validate(factory.generateCertPath(List.of(read(factory, file))), given);
            return "good";
        } catch (CertPathValidatorException refused) {
            return "refused: " + refused.getMessage().replace('\n', ' ');
        }
    }

    private static X509Certificate read(CertificateFactory factory, String file) throws Exception {
        try (FileInputStream in = new FileInputStream(file)) {
            return (X509Certificate) factory.generateCertificate(in);
        }
    }
}
