package sealtool.interop;

import eu.europa.esig.dss.enumerations.SubIndication;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.simplereport.jaxb.XmlSignatureScope;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CertificateVerifier;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Has DSS judge many files in one go, offline, and says of each on one line of JSON what DSS said.
 *
 * <p>Arguments: the trust anchor (PEM), then revocation lists (DER). Standard input, one line a file, separated by tabs:
 * {@code lists} if DSS may see the revocation lists or {@code alone} if the file has to bring all there is to know,
 * with {@code @} and a moment where it is to judge as of then; the file; and, for a detached seal, what it seals.
 */
public final class Judge {

    private final CertificateVerifier alone;
    private final CertificateVerifier withLists;

    private Judge(File anchor, DSSDocument[] lists) {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        trusted.addCertificate(DSSUtils.loadCertificate(anchor));
        alone = verifier(trusted);
        withLists = verifier(trusted);
        withLists.setCrlSource(new ExternalResourcesCRLSource(lists));
    }

    /** Without a source for OCSP, CRL or AIA: nothing is looked up anywhere. */
    private static CertificateVerifier verifier(CommonTrustedCertificateSource trusted) {
        CertificateVerifier verifier = new CommonCertificateVerifier(true);
        verifier.setTrustedCertSources(trusted);
        return verifier;
    }

    public static void main(String[] arguments) throws IOException {
        DSSDocument[] lists = Arrays.stream(arguments).skip(1).map(FileDocument::new).toArray(DSSDocument[]::new);
        Judge judge = new Judge(new File(arguments[0]), lists);
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader tasks = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String task = tasks.readLine(); task != null; task = tasks.readLine()) {
            out.println(judge.judge(task.split("\t")));
        }
    }

    private String judge(String[] task) {
        String path = task[1];
        try {
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(path));
            String[] terms = task[0].split("@");
            validator.setCertificateVerifier(terms[0].equals("lists") ? withLists : alone);
            if (terms.length > 1) {
                validator.setValidationTime(Date.from(Instant.parse(terms[1])));
            }
            if (task.length > 2) {
                List<DSSDocument> sealed = List.of(new FileDocument(task[2]));
                validator.setDetachedContents(sealed);
            }
            return told(path, validator.validateDocument().getSimpleReport());
        } catch (RuntimeException refusal) { // a file so broken that there is no report is a verdict too
            return "{" + pair("path", path) + ",\"signatures\":[],"
                    + pair("refusal", String.valueOf(refusal.getMessage())) + "}";
        }
    }

    private static String told(String path, SimpleReport report) {
        String signatures = report.getSignatureIdList().stream()
                .map(id -> signature(report, id))
                .collect(Collectors.joining(","));
        return "{" + pair("path", path) + ",\"signatures\":[" + signatures + "],\"refusal\":null}";
    }

    private static String signature(SimpleReport report, String id) {
        String stamps = report.getSignatureTimestamps(id).stream()
                .map(stamp -> "{" + verdict(report, stamp.getId(), stamp.getTimestampScope()) + "}")
                .collect(Collectors.joining(",", "[", "]"));
        return "{" + pair("level", String.valueOf(report.getSignatureFormat(id))) + ","
                + verdict(report, id, report.getSignatureScopes(id)) + ",\"timestamps\":" + stamps + "}";
    }

    /** Indication, sub-indication, what is covered, and what DSS has to say about it. */
    private static String verdict(SimpleReport report, String id, List<XmlSignatureScope> scopes) {
        SubIndication sub = report.getSubIndication(id);
        return pair("indication", String.valueOf(report.getIndication(id))) + ","
                + (sub == null ? "\"sub_indication\":null" : pair("sub_indication", sub.name())) + ","
                + "\"scopes\":" + texts(scopes.stream().map(scope -> scope.getScope().name())) + ","
                + "\"errors\":" + texts(report.getAdESValidationErrors(id).stream().map(Message::getValue)) + ","
                + "\"warnings\":" + texts(report.getAdESValidationWarnings(id).stream().map(Message::getValue));
    }

    private static String texts(Stream<String> texts) {
        return texts.map(Judge::quoted).collect(Collectors.joining(",", "[", "]"));
    }

    private static String pair(String name, String value) {
        return quoted(name) + ":" + quoted(value);
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char each : text.toCharArray()) {
            if (each == '"' || each == '\\') {
                quoted.append('\\').append(each);
            } else if (each < ' ') {
                quoted.append(String.format("\\u%04x", (int) each));
            } else {
                quoted.append(each);
            }
        }
        return quoted.append('"').toString();
    }
}
