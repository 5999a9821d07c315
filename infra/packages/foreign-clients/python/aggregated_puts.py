"""Puts aggregated records as aws_kinesis_agg or aiokpl make them.

Arguments: the library, the endpoint, the stream. Each of 20 devices sends 50 readings, numbered from 0.
"""

import asyncio
import os
import sys

DEVICES = 20
READINGS = 50


def readings():
    for reading in range(READINGS):
        for device in range(DEVICES):
            yield f"device-{device}", str(reading).encode()


def put_by_aws_kinesis_agg(endpoint: str, stream: str) -> None:
    import boto3
    from aws_kinesis_agg.aggregator import RecordAggregator

    client = boto3.client("kinesis", endpoint_url=endpoint, region_name="us-east-1")

    def put(record) -> None:
        partition_key, explicit_hash_key, data = record.get_contents()
        client.put_record(
            StreamName=stream,
            PartitionKey=partition_key,
            **({} if explicit_hash_key is None else {"ExplicitHashKey": explicit_hash_key}),
            Data=data,
        )

    aggregator = RecordAggregator(2_000)
    for key, data in readings():
        full = aggregator.add_user_record(key, data)
        if full:
            put(full)
    rest = aggregator.clear_and_get()
    if rest:
        put(rest)


async def put_by_aiokpl(endpoint: str, stream: str) -> None:
    import aiokpl

    async with aiokpl.Producer(
        aiokpl.Config(region="us-east-1", endpoint_url=endpoint)
    ) as producer:
        outcomes = [
            await producer.put_record(stream=stream, partition_key=key, data=data)
            for key, data in readings()
        ]
        for outcome in outcomes:
            result = await outcome.wait()
            assert result.success, result


if __name__ == "__main__":
    library, endpoint, stream = sys.argv[1:]
    os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "local"
    if library == "aws_kinesis_agg":
        put_by_aws_kinesis_agg(endpoint, stream)
    else:
        asyncio.run(put_by_aiokpl(endpoint, stream))
