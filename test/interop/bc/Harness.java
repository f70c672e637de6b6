// Harness reads evidence records with BouncyCastle (org.bouncycastle.tsp.ers),
// as an opinion that is independent of ours. It takes the name of a list; each
// line of it is, with tabs between:
//
//   valid|invalid  RECORD  MEMBER...
//
// and prints "ok RECORD" or "FAIL RECORD: why" for each. A record that is
// expected to be valid must pass every step, one that is not must fail one.
//
// What a record of several chains and stamps goes through, stamp by stamp:
// the first of each chain as the end of a record that is cut there (data and
// earlier chains are looked for in it), each further one by itself (the token
// before it must be in it), because BouncyCastle 1.72 asks the last of three
// and more stamps to hold all tokens before it. The signature of every token is
// verified with the certificate inside.
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.tsp.ArchiveTimeStamp;
import org.bouncycastle.asn1.tsp.ArchiveTimeStampChain;
import org.bouncycastle.asn1.tsp.ArchiveTimeStampSequence;
import org.bouncycastle.asn1.tsp.EvidenceRecord;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.SignerInformationVerifier;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.DigestCalculator;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.ers.ERSArchiveTimeStamp;
import org.bouncycastle.tsp.ers.ERSByteData;
import org.bouncycastle.tsp.ers.ERSData;
import org.bouncycastle.tsp.ers.ERSDataGroup;
import org.bouncycastle.tsp.ers.ERSEvidenceRecord;

public final class Harness {
    private static final BouncyCastleProvider BC = new BouncyCastleProvider();

    private final DigestCalculatorProvider digests;

    private Harness() throws Exception {
        digests = new JcaDigestCalculatorProviderBuilder().setProvider(BC).build();
    }

    public static void main(String[] args) throws Exception {
        Harness harness = new Harness();
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            String[] f = line.split("\t");
            boolean wanted = f[0].equals("valid");
            String why = null;
            try {
                List<byte[]> members = new ArrayList<>();
                for (String m : Arrays.asList(f).subList(2, f.length)) {
                    members.add(Files.readAllBytes(Path.of(m)));
                }
                harness.check(Files.readAllBytes(Path.of(f[1])), members);
            } catch (Exception e) {
                why = e.toString();
            }
            if (wanted == (why == null)) {
                System.out.println("ok " + f[1]);
            } else {
                System.out.println("FAIL " + f[1] + ": " + (wanted ? why : "accepted"));
            }
        }
    }

    private void check(byte[] record, List<byte[]> members) throws Exception {
        EvidenceRecord er = EvidenceRecord.getInstance(record);
        ArchiveTimeStampChain[] chains = er.getArchiveTimeStampSequence().getArchiveTimeStampChains();
        List<ArchiveTimeStampChain> before = new ArrayList<>();
        for (ArchiveTimeStampChain chain : chains) {
            ArchiveTimeStamp[] stamps = chain.getArchiveTimestamps();
            cut(er, before, stamps[0], members);
            for (int i = 1; i < stamps.length; i++) {
                renewal(stamps[i - 1], stamps[i]);
            }
            before.add(chain);
        }
    }

    private SignerInformationVerifier verifier(X509CertificateHolder cert) throws Exception {
        return new JcaSimpleSignerInfoVerifierBuilder().setProvider(BC).build(cert);
    }

    private void cut(EvidenceRecord er, List<ArchiveTimeStampChain> before, ArchiveTimeStamp first, List<byte[]> members) throws Exception {
        List<ArchiveTimeStampChain> all = new ArrayList<>(before);
        all.add(new ArchiveTimeStampChain(first));
        EvidenceRecord cut = new EvidenceRecord(er.getDigestAlgorithms(), null, null, new ArchiveTimeStampSequence(all.toArray(new ArchiveTimeStampChain[0])));
        ERSEvidenceRecord record = new ERSEvidenceRecord(cut, digests);
        record.validate(verifier(record.getSigningCertificate()));
        Date at = new Date(new ERSArchiveTimeStamp(first, digests).getGenTime().getTime() + 1000);
        List<ERSData> group = new ArrayList<>();
        for (byte[] m : members) {
            record.validatePresent(new ERSByteData(m), at);
            group.add(new ERSByteData(m));
        }
        if (group.size() > 1) {
            record.validatePresent(new ERSDataGroup(group), at);
            refuses(record, new ERSByteData("belongs to nobody".getBytes()), at);
            List<ERSData> more = new ArrayList<>(group);
            more.add(new ERSByteData("belongs to nobody".getBytes()));
            refuses(record, new ERSDataGroup(more), at);
        }
        if (group.size() > 2) { // a group of one is the plain value for it
            refuses(record, new ERSDataGroup(group.subList(1, group.size())), at);
        }
    }

    private void refuses(ERSEvidenceRecord record, ERSData data, Date at) throws Exception {
        if (record.isContaining(data, at)) {
            throw new Exception("foreign data or an incomplete group is accepted");
        }
    }

    private void renewal(ArchiveTimeStamp previous, ArchiveTimeStamp stamp) throws Exception {
        ERSArchiveTimeStamp ats = new ERSArchiveTimeStamp(stamp, digests);
        ats.validate(verifier(ats.getSigningCertificate()));
        DigestCalculator digest = digests.get(stamp.getDigestAlgorithmIdentifier());
        digest.getOutputStream().write(previous.getTimeStamp().getEncoded(ASN1Encoding.DER));
        ats.validatePresent(false, digest.getDigest(), new Date(ats.getGenTime().getTime() + 1000));
    }
}
