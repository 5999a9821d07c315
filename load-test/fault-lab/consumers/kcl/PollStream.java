import java.nio.charset.StandardCharsets;
import java.util.UUID;
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
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * A consumer by the KCL that polls, with its other defaults: leases in DynamoDB, a checkpoint after each batch. It prints the data
 * of each record. The stream is that of LAB_STREAM; endpoints, region and keys are those of the variables of the AWS SDK. Only the
 * destination of its metrics, CloudWatch, is left out.
 */
public final class PollStream {
  public static void main(String[] arguments) {
    String stream = System.getenv("LAB_STREAM");
    KinesisAsyncClient kinesis = KinesisClientUtil.createKinesisAsyncClient(KinesisAsyncClient.builder());
    SingleStreamTracker tracker =
        new SingleStreamTracker(
            stream,
            InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON));
    ConfigsBuilder configs =
        new ConfigsBuilder(
            tracker,
            "poll-stream",
            kinesis,
            DynamoDbAsyncClient.create(),
            CloudWatchAsyncClient.create(),
            UUID.randomUUID().toString(),
            Processor::new);
    new Scheduler(
            configs.checkpointConfig(),
            configs.coordinatorConfig(),
            configs.leaseManagementConfig(),
            configs.lifecycleConfig(),
            configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
            configs.processorConfig(),
            configs.retrievalConfig().retrievalSpecificConfig(new PollingConfig(stream, kinesis)))
        .run();
  }

  private static final class Processor implements ShardRecordProcessor {
    @Override
    public void initialize(InitializationInput input) {}

    @Override
    public void processRecords(ProcessRecordsInput input) {
      StringBuilder lines = new StringBuilder();
      for (KinesisClientRecord record : input.records()) {
        lines.append(StandardCharsets.UTF_8.decode(record.data())).append('\n');
      }
      System.out.print(lines);
      System.out.flush();
      try {
        input.checkpointer().checkpoint();
      } catch (InvalidStateException | ShutdownException error) {
        System.err.println(error);
      }
    }

    @Override
    public void leaseLost(LeaseLostInput input) {}

    @Override
    public void shardEnded(ShardEndedInput input) {
      try {
        input.checkpointer().checkpoint();
      } catch (InvalidStateException | ShutdownException error) {
        System.err.println(error);
      }
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {}
  }

  private PollStream() {}
}
