"""Calls every operation of Kinesis that boto3 knows, and names those that the server refuses as unknown.

Argument: the endpoint. Exits with 1 when an operation was neither called nor refused by name.
"""

import json
import sys
import time
from datetime import datetime, timezone

import boto3
from botocore.exceptions import ClientError

UNSERVED = {
    "CreateChannel": {},
    "DeleteChannel": {},
    "DescribeChannel": {},
    "ListChannels": {},
    "UpdateChannel": {},
    "UpdateStreamRecordDistributionStrategy": {},
}
STREAM = "boto3"


def main(endpoint: str) -> int:
    client = boto3.client(
        "kinesis",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    called: set[str] = set()
    client.meta.events.register(
        "before-call.kinesis", lambda model, **_: called.add(model.name)
    )
    call_all(client)
    refused = refused_by_name(endpoint)
    missing = set(client.meta.method_to_api_mapping.values()) - called - refused
    print(f"boto3 {boto3.__version__}: {len(called)} operations called")
    print(f"refused by name: {', '.join(sorted(refused))}")
    if missing:
        print(f"neither: {', '.join(sorted(missing))}")
    return 1 if missing else 0


def active(client) -> str:
    while True:
        summary = client.describe_stream_summary(StreamName=STREAM)["StreamDescriptionSummary"]
        if summary["StreamStatus"] == "ACTIVE":
            return summary["StreamARN"]
        time.sleep(0.05)


def call_all(client) -> None:
    client.create_stream(StreamName=STREAM, ShardCount=1, Tags={"team": "fleet"})
    arn = active(client)
    client.describe_stream(StreamName=STREAM)
    assert STREAM in client.list_streams()["StreamNames"]
    client.describe_limits()
    client.describe_account_settings()
    client.update_account_settings(MinimumThroughputBillingCommitment={"Status": "ENABLED"})
    tags(client, arn)
    records(client)
    consumers(client, arn)
    settings(client, arn)
    shards(client)
    client.delete_stream(StreamName=STREAM, EnforceConsumerDeletion=True)


def tags(client, arn: str) -> None:
    client.add_tags_to_stream(StreamName=STREAM, Tags={"stage": "test"})
    assert len(client.list_tags_for_stream(StreamName=STREAM)["Tags"]) == 2
    client.remove_tags_from_stream(StreamName=STREAM, TagKeys=["stage"])
    client.tag_resource(ResourceARN=arn, Tags={"owner": "me"})
    assert len(client.list_tags_for_resource(ResourceARN=arn)["Tags"]) == 2
    client.untag_resource(ResourceARN=arn, TagKeys=["owner"])


def records(client) -> None:
    first = client.put_record(StreamName=STREAM, PartitionKey="a", Data=b"one")
    client.put_records(StreamName=STREAM, Records=[{"PartitionKey": "a", "Data": b"two"}])
    iterator = client.get_shard_iterator(
        StreamName=STREAM, ShardId=first["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )
    read = client.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    assert [record["Data"] for record in read] == [b"one", b"two"]
    assert isinstance(read[0]["ApproximateArrivalTimestamp"], datetime)


def consumers(client, arn: str) -> None:
    consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="reader")["Consumer"]
    address = {"ConsumerARN": consumer["ConsumerARN"]}
    while client.describe_stream_consumer(**address)["ConsumerDescription"]["ConsumerStatus"] != "ACTIVE":
        time.sleep(0.05)
    assert len(client.list_stream_consumers(StreamARN=arn)["Consumers"]) == 1
    subscription = client.subscribe_to_shard(
        **address, ShardId="shardId-000000000000", StartingPosition={"Type": "TRIM_HORIZON"}
    )
    seen: list[bytes] = []
    for event in subscription["EventStream"]:
        seen += [record["Data"] for record in event["SubscribeToShardEvent"]["Records"]]
        if len(seen) == 2:
            break
    subscription["EventStream"].close()
    assert seen == [b"one", b"two"]
    client.deregister_stream_consumer(**address)


def settings(client, arn: str) -> None:
    client.increase_stream_retention_period(StreamName=STREAM, RetentionPeriodHours=48)
    client.decrease_stream_retention_period(StreamName=STREAM, RetentionPeriodHours=24)
    client.enable_enhanced_monitoring(StreamName=STREAM, ShardLevelMetrics=["ALL"])
    client.disable_enhanced_monitoring(StreamName=STREAM, ShardLevelMetrics=["ALL"])
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    client.put_resource_policy(ResourceARN=arn, Policy=policy)
    assert client.get_resource_policy(ResourceARN=arn)["Policy"] == policy
    client.delete_resource_policy(ResourceARN=arn)
    key = {"StreamName": STREAM, "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    client.start_stream_encryption(**key)
    active(client)
    client.stop_stream_encryption(**key)
    active(client)
    client.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=2048)
    active(client)
    client.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    active(client)
    client.update_stream_warm_throughput(StreamARN=arn, WarmThroughputMiBps=10)
    active(client)
    client.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "PROVISIONED"})
    active(client)


def shards(client) -> None:
    client.split_shard(
        StreamName=STREAM, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127)
    )
    active(client)
    client.merge_shards(
        StreamName=STREAM,
        ShardToMerge="shardId-000000000001",
        AdjacentShardToMerge="shardId-000000000002",
    )
    active(client)
    client.update_shard_count(StreamName=STREAM, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    active(client)
    now = datetime.now(timezone.utc)
    listed = client.list_shards(StreamName=STREAM, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    assert len(listed) == 2, (now, listed)


def refused_by_name(endpoint: str) -> set[str]:
    """Asked without boto3's own checks of parameters, which come before the server's answer."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    refused: set[str] = set()
    for name in UNSERVED:
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"Kinesis_20131202.{name}",
        }
        try:
            urlopen(Request(endpoint, data=b"{}", headers=headers))
        except HTTPError as error:
            answer = json.loads(error.read())
            if answer["__type"] == "UnknownOperationException" and name in answer["message"]:
                refused.add(name)
    return refused


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except ClientError as error:
        sys.exit(f"{error.operation_name}: {error}")
