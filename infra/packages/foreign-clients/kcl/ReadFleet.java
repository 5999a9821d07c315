import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * A consumer by the KCL with its defaults: enhanced fan-out, leases in DynamoDB. It writes a line for each record, `R shard key
 * data`, and `E shard` at the end of a shard, until it is killed. Only the destination of its metrics, CloudWatch, is left out.
 *
 * <p>Arguments: endpoint of Kinesis, endpoint of DynamoDB, name of the stream.
 */
public final class ReadFleet {
  public static void main(String[] arguments) {
    URI kinesisEndpoint = URI.create(arguments[0]);
    URI dynamoEndpoint = URI.create(arguments[1]);
    String stream = arguments[2];
    Region region = Region.US_EAST_1;
    StaticCredentialsProvider credentials =
        StaticCredentialsProvider.create(AwsBasicCredentials.create("local", "local"));
    KinesisAsyncClient kinesis =
        KinesisClientUtil.createKinesisAsyncClient(
            KinesisAsyncClient.builder()
                .endpointOverride(kinesisEndpoint)
                .region(region)
                .credentialsProvider(credentials));
    DynamoDbAsyncClient dynamo =
        DynamoDbAsyncClient.builder()
            .endpointOverride(dynamoEndpoint)
            .region(region)
            .credentialsProvider(credentials)
            .build();
    CloudWatchAsyncClient metrics =
        CloudWatchAsyncClient.builder().region(region).credentialsProvider(credentials).build();
    SingleStreamTracker tracker =
        new SingleStreamTracker(
            stream,
            InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON));
    ConfigsBuilder configs =
        new ConfigsBuilder(
            tracker, "read-fleet", kinesis, dynamo, metrics, UUID.randomUUID().toString(), Processor::new);
    new Scheduler(
            configs.checkpointConfig(),
            configs.coordinatorConfig(),
            configs.leaseManagementConfig(),
            configs.lifecycleConfig(),
            configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
            configs.processorConfig(),
            configs.retrievalConfig())
        .run();
  }

  private static final class Processor implements ShardRecordProcessor {
    private String shard;

    @Override
    public void initialize(InitializationInput input) {
      shard = input.shardId();
      say("I " + shard);
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
      StringBuilder lines = new StringBuilder();
      for (KinesisClientRecord record : input.records()) {
        String data = StandardCharsets.UTF_8.decode(record.data()).toString();
        lines.append("R ").append(shard).append(' ').append(record.partitionKey()).append(' ').append(data);
        lines.append('\n');
      }
      if (lines.length() > 0) {
        lines.setLength(lines.length() - 1);
        say(lines.toString());
      }
      try {
        input.checkpointer().checkpoint();
      } catch (InvalidStateException | ShutdownException error) {
        say("F " + error);
      }
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
      try {
        input.checkpointer().checkpoint();
        say("E " + shard);
      } catch (InvalidStateException | ShutdownException error) {
        say("F " + error);
      }
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
      say("L " + shard);
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
      say("S " + shard);
    }
  }

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  private ReadFleet() {}
}
