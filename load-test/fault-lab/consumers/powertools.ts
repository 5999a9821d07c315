import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, KinesisStreamEvent, KinesisStreamRecord } from 'aws-lambda';

/** The handler of Powertools' documentation: each record by itself, failed ones reported. */
const processor = new BatchProcessor(EventType.KinesisDataStreams);

async function print({ kinesis }: KinesisStreamRecord): Promise<void> {
  process.stdout.write(`${Buffer.from(kinesis.data, 'base64').toString()}\n`);
}

export async function handler(event: KinesisStreamEvent, context: Context) {
  return processPartialResponse(event, print, processor, { context });
}
