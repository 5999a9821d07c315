import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { s3Client } from '@twinstream/aws/s3';
import type { DeviceState } from '@twinstream/device-model';
import { dynamoDbEventStore } from '@twinstream/event-store';
import { dynamoDbLatestStateTable, dynamoDbShardProgressTable } from '@twinstream/latest-state';
import { QUARANTINE_PREFIX } from '@twinstream/pipeline-settings';
import { positionKey } from '@twinstream/stream-model';
import { z } from 'zod';
import { archivedEntries } from './archived-entries.ts';
import type { SentEvents } from './sent-events.ts';

/** Names of what was deployed, as the stack tells them. */
export const OUTPUTS = z.object({
  StreamName: z.string(),
  EventsTable: z.string(),
  DeviceStateTable: z.string(),
  ShardProgressTable: z.string(),
  ArchiveBucket: z.string(),
  ApiUrl: z.url(),
});
export type DeployedNames = z.infer<typeof OUTPUTS>;

export interface ClientOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** What the deployed tables and the bucket hold, as far as it can be counted. */
export interface Findings {
  readonly devices: number;
  /** Devices whose state holds all that was sent, and nothing twice. */
  readonly completeStates: number;
  readonly storedEvents: number;
  /** Devices whose page numbers run from 1 without a gap. */
  readonly wholeChains: number;
  readonly shardsWithProgress: number;
  readonly quarantinedRecords: number;
  readonly archivedRecords: number;
}

/** What {@link look} finds once everything that was sent has gone its way. */
export function expectedFindings({
  deviceIds,
  eventsADevice,
  recordCount,
  poisonCount,
}: SentEvents): Omit<Findings, 'shardsWithProgress'> {
  return {
    devices: deviceIds.length,
    completeStates: deviceIds.length,
    storedEvents: deviceIds.length * eventsADevice,
    wholeChains: deviceIds.length,
    quarantinedRecords: poisonCount,
    archivedRecords: recordCount,
  };
}

/** Reads the deployed stores through the project's own adapters. */
export async function look(
  names: DeployedNames,
  sent: SentEvents,
  options: ClientOptions,
): Promise<Findings> {
  const dynamoDb = dynamoDbClient(options);
  const s3 = s3Client(options);
  try {
    const states = dynamoDbLatestStateTable(dynamoDb, { tableName: names.DeviceStateTable });
    const events = dynamoDbEventStore(dynamoDb, { tableName: names.EventsTable });
    const progress = dynamoDbShardProgressTable(dynamoDb, { tableName: names.ShardProgressTable });
    const found = { devices: 0, completeStates: 0, storedEvents: 0, wholeChains: 0 };
    for (const deviceId of sent.deviceIds) {
      const state = await states.read(deviceId);
      if (state !== undefined) found.devices += 1;
      if (state !== undefined && isComplete(state, sent)) found.completeStates += 1;
      let pages = 0;
      let isWhole = true;
      for await (const page of events.pages(deviceId)) {
        pages += 1;
        if (page.page !== pages) isWhole = false;
        found.storedEvents += page.events.length;
      }
      if (isWhole && pages > 0) found.wholeChains += 1;
    }
    const positions = new Set<string>();
    for await (const entry of archivedEntries(s3, names.ArchiveBucket)) {
      positions.add(positionKey(entry));
    }
    const quarantine = await s3.send(
      new ListObjectsV2Command({ Bucket: names.ArchiveBucket, Prefix: QUARANTINE_PREFIX }),
    );
    return {
      ...found,
      shardsWithProgress: (await progress.read(names.StreamName)).length,
      quarantinedRecords: quarantine.Contents?.length ?? 0,
      archivedRecords: positions.size,
    };
  } finally {
    dynamoDb.destroy();
    s3.destroy();
  }
}

function isComplete({ attributes, counts }: DeviceState, sent: SentEvents): boolean {
  const { events, duplicates, late, gaps } = counts;
  return (
    attributes.get('reading')?.value === sent.lastReading &&
    events === sent.eventsADevice &&
    duplicates + late + gaps === 0
  );
}
