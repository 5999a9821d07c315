import com.google.common.util.concurrent.ListenableFuture;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordResult;

/**
 * Puts the readings of a fleet with the KPL and its defaults: it aggregates them in its native daemon, which speaks TLS alone. Only its
 * metrics are left out, which need a CloudWatch. Ends with 1 where a reading was not stored.
 *
 * <p>Arguments: port of Kinesis with TLS, name of the stream, number of devices, readings of each.
 */
public final class PutFleet {
  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    String stream = arguments[1];
    int devices = Integer.parseInt(arguments[2]);
    int readings = Integer.parseInt(arguments[3]);
    KinesisProducerConfiguration configuration =
        new KinesisProducerConfiguration()
            .setRegion("us-east-1")
            .setKinesisEndpoint("localhost")
            .setKinesisPort(port)
            .setVerifyCertificate(false)
            .setMetricsLevel("none")
            // Where it unpacks its daemon: the folder of the check, which is removed.
            .setTempDirectory(System.getProperty("user.dir"))
            .setCredentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create("local", "local")));
    KinesisProducer producer = new KinesisProducer(configuration);
    List<ListenableFuture<UserRecordResult>> results = new ArrayList<>();
    for (int reading = 0; reading < readings; reading++) {
      for (int device = 0; device < devices; device++) {
        ByteBuffer data = ByteBuffer.wrap(String.valueOf(reading).getBytes(StandardCharsets.UTF_8));
        results.add(producer.addUserRecord(stream, "device-" + device, data));
      }
    }
    producer.flushSync();
    int failed = 0;
    for (ListenableFuture<UserRecordResult> result : results) {
      if (!result.get().isSuccessful()) failed++;
    }
    producer.destroy();
    System.out.println(results.size() - failed + " of " + results.size());
    System.exit(failed == 0 ? 0 : 1);
  }

  private PutFleet() {}
}
