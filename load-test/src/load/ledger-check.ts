import { appendFileSync, createReadStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { s3Client } from '@twinstream/runtime';
import { positionKey, sequenceNumber, shardId } from '@twinstream/stream-model';
import {
  ARCHIVE_PREFIX,
  archiveTexts,
  checkLedger,
  type LedgerViolation,
  PositionSet,
} from '@twinstream/verification';
import { pipelineStores } from '../pipeline-stores.ts';
import { sentEvents } from '../simulator-ledger.ts';
import { type Access, readAccess } from './access.ts';
import { orderChecked } from './order-check.ts';

/** What the check of a ledger came to. */
export interface LedgerFindings {
  readonly devices: number;
  readonly sent: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly late: number;
  readonly malformed: number;
  /** Distinct positions in the archive; null where there is none. */
  readonly archived: number | null;
  readonly violationCount: number;
  readonly violationsByKind: Readonly<Record<string, number>>;
  /** The first of them, {@link VIOLATIONS_LISTED_MAX} at most. */
  readonly violations: readonly LedgerViolation[];
}

/** Events checked at once; a million take about a gigabyte. */
const EVENTS_AT_ONCE_MAX = 400_000;
const VIOLATIONS_LISTED_MAX = 50;
const ARCHIVE_POLL_MS = 1_000;
const WRITE_CHARACTERS = 1 << 20;

export interface LedgerCheckOptions {
  readonly environment: Readonly<Record<string, string>>;
  /** That of the load and that of its warm-up. */
  readonly ledgerFiles: readonly string[];
  /** For the parts of a ledger that is too large to be checked at once. */
  readonly folder: string;
  readonly acknowledged: number;
  /** True where the stream has every event of each device in the order of its counters: none was given up. */
  readonly isOrdered: boolean;
  /** When the archive must be complete, in milliseconds since 1970. */
  readonly archiveDeadlineMs: number;
}

/**
 * Checks every event of the ledger against event store, state and quarantine, a part of the devices at a time so that
 * memory stays bounded, and against the archive, which may be completed until the deadline.
 */
export async function checkLoad(options: LedgerCheckOptions): Promise<LedgerFindings> {
  const { environment, ledgerFiles, folder, acknowledged } = options;
  const partCount = Math.max(1, Math.ceil(acknowledged / EVENTS_AT_ONCE_MAX));
  const parts = partCount === 1 ? [ledgerFiles] : await split(ledgerFiles, folder, partCount);
  const stores = pipelineStores(environment);
  const violations: LedgerViolation[] = [];
  const eventStore = orderChecked(stores.eventStore, (deviceId, what) => {
    if (options.isOrdered) violations.push({ kind: 'out-of-order', subject: `${deviceId} ${what}` });
  });
  const sums = { devices: 0, sent: 0, stored: 0, duplicates: 0, late: 0, malformed: 0 };
  try {
    for (const [part, files] of parts.entries()) {
      const report = await checkLedger({
        latestState: stores.latestState,
        quarantine: stores.quarantine,
        eventStore: {
          ...eventStore,
          deviceIds: async function* () {
            for await (const id of eventStore.deviceIds()) if (partOf(id, partCount) === part) yield id;
          },
        },
        sent: sentEvents(...files),
        isComplete: true,
      });
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += report[name];
      violations.push(...report.violations);
      if (partCount > 1) for (const file of files) rmSync(file);
    }
  } finally {
    stores.close();
  }
  // Once for all parts.
  const archive = await checkArchive(options);
  violations.push(...archive.violations);
  return { ...sums, archived: archive.archived, ...told(violations) };
}

/** Violations as a result holds them. */
export function told(
  violations: readonly LedgerViolation[],
): Pick<LedgerFindings, 'violationCount' | 'violationsByKind' | 'violations'> {
  const byKind: Record<string, number> = {};
  for (const { kind } of violations) byKind[kind] = (byKind[kind] ?? 0) + 1;
  return {
    violationCount: violations.length,
    violationsByKind: byKind,
    violations: violations.slice(0, VIOLATIONS_LISTED_MAX),
  };
}

/** FNV-1a. */
function partOf(deviceId: string, partCount: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < deviceId.length; index += 1) {
    hash = Math.imul(hash ^ deviceId.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % partCount;
}

const DEVICE_ID = /"deviceId":"([^"]+)"/;

/** One file for each part of the devices. */
async function split(
  ledgerFiles: readonly string[],
  folder: string,
  partCount: number,
): Promise<readonly (readonly string[])[]> {
  const files = Array.from({ length: partCount }, (_, part) => join(folder, `ledger-part-${part}.ndjson`));
  const texts = files.map(() => '');
  const flush = (part: number) => {
    appendFileSync(files[part] ?? '', texts[part] ?? '');
    texts[part] = '';
  };
  for (const file of ledgerFiles) {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const part = partOf(DEVICE_ID.exec(line)?.[1] ?? '', partCount);
      texts[part] += `${line}
`;
      if ((texts[part]?.length ?? 0) > WRITE_CHARACTERS) flush(part);
    }
  }
  for (const part of files.keys()) flush(part);
  return files.map((file) => [file]);
}

/** Reads the archive until it holds every position of the ledgers, or until the deadline. */
export async function checkArchive(options: LedgerCheckOptions) {
  const access = readAccess(options.environment);
  const s3 = s3Client({ ...access.client, endpoint: access.endpoints.s3 });
  const archived = new PositionSet();
  const read = new Set<string>();
  try {
    while (true) {
      const isLast = Date.now() >= options.archiveDeadlineMs;
      for (const key of await archiveKeys(s3, access)) {
        if (read.has(key)) continue;
        read.add(key);
        for await (const text of archiveTexts(s3, access.archiveBucket, key)) archived.add(placeOf(text));
      }
      if (archived.size >= options.acknowledged || isLast) {
        const violations = await missingFrom(archived, options.ledgerFiles);
        if (violations.length === 0 || isLast) return { archived: archived.size, violations };
      }
      await sleep(ARCHIVE_POLL_MS);
    }
  } finally {
    s3.destroy();
  }
}

async function archiveKeys(
  s3: ReturnType<typeof s3Client>,
  { archiveBucket }: Access,
): Promise<readonly string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const listing = await s3.send(
      new ListObjectsV2Command({
        Bucket: archiveBucket,
        Prefix: ARCHIVE_PREFIX,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    keys.push(...(listing.Contents ?? []).flatMap(({ Key }) => Key ?? []));
    token = listing.NextContinuationToken;
  } while (token !== undefined);
  return keys;
}

function placeOf(text: string) {
  const line = JSON.parse(text);
  return {
    shardId: shardId(line.shardId),
    sequenceNumber: sequenceNumber(line.sequenceNumber),
    subSequenceNumber: line.subSequenceNumber,
  };
}

async function missingFrom(
  archived: PositionSet,
  ledgerFiles: readonly string[],
): Promise<LedgerViolation[]> {
  const violations: LedgerViolation[] = [];
  for await (const { position } of sentEvents(...ledgerFiles)) {
    if (position !== undefined && !archived.has(position)) {
      violations.push({ kind: 'not-archived', subject: positionKey(position) });
    }
  }
  return violations;
}
