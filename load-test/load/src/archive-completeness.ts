import { setTimeout as sleep } from 'node:timers/promises';
import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { s3Client } from '@twinstream/aws/s3';
import { type Access, sentPositions } from '@twinstream/end-to-end';
import { ARCHIVE_PREFIX, hourFolder } from '@twinstream/pipeline-settings';
import { positionKey } from '@twinstream/stream-model';
import { type LedgerViolation, linesOfObject, PositionSet, s3ArchiveObjects } from '@twinstream/verification';

/** Between two looks at the list of objects. */
const POLL_MS = 1_000;
/** By how much the clock of this machine may be ahead of that of AWS, which names hours. More, and no request would be taken. */
export const CLOCKS_DIFFER_MS_MAX = 15 * 60_000;

export interface ArchiveCheckOptions {
  readonly access: Access;
  /** That of the load and that of its warm-up. */
  readonly ledgerFiles: readonly string[];
  /** When the archive must be complete, in milliseconds since 1970. */
  readonly archiveDeadlineAtMs: number;
  /**
   * Where others write, too: when this run began, in milliseconds since 1970. Then no device is looked at but those of
   * the ledgers, and nothing that arrived long before. Absent: the pipeline holds nothing else.
   */
  readonly sharedSinceMs?: number;
  readonly signal?: AbortSignal;
}

/** Reads the archive until it holds every position of the ledgers, or until the deadline. */
export async function missingFromArchive(
  options: ArchiveCheckOptions,
): Promise<{ readonly archived: number; readonly violations: readonly LedgerViolation[] }> {
  const { access, ledgerFiles, archiveDeadlineAtMs, sharedSinceMs, signal } = options;
  const s3 = s3Client(access.clients.s3);
  const objects = s3ArchiveObjects(s3, access.archiveBucket);
  const startAfter =
    sharedSinceMs === undefined
      ? ARCHIVE_PREFIX
      : hourFolder(ARCHIVE_PREFIX, sharedSinceMs - CLOCKS_DIFFER_MS_MAX);
  const sent = await positionsOf(ledgerFiles);
  const archived = new PositionSet();
  const read = new Set<string>();
  try {
    while (true) {
      signal?.throwIfAborted();
      const isLast = Date.now() >= archiveDeadlineAtMs;
      for (const key of await archiveKeys(s3, access.archiveBucket, startAfter)) {
        if (read.has(key)) continue;
        read.add(key);
        for await (const { entry } of linesOfObject(objects, key)) {
          if (sent.has(entry)) archived.add(entry);
        }
      }
      if (archived.size === sent.size) return { archived: archived.size, violations: [] };
      if (isLast) return { archived: archived.size, violations: await missing(archived, ledgerFiles) };
      await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal });
    }
  } finally {
    s3.destroy();
  }
}

async function positionsOf(ledgerFiles: readonly string[]): Promise<PositionSet> {
  const positions = new PositionSet();
  for await (const position of sentPositions(...ledgerFiles)) positions.add(position);
  return positions;
}

async function archiveKeys(s3: S3Client, bucket: string, startAfter: string): Promise<readonly string[]> {
  const keys: string[] = [];
  const input = { Bucket: bucket, Prefix: ARCHIVE_PREFIX, StartAfter: startAfter };
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, input)) {
    keys.push(...Contents.flatMap(({ Key }) => Key ?? []));
  }
  return keys;
}

async function missing(archived: PositionSet, ledgerFiles: readonly string[]): Promise<LedgerViolation[]> {
  const violations: LedgerViolation[] = [];
  for await (const position of sentPositions(...ledgerFiles)) {
    if (!archived.has(position)) violations.push({ kind: 'not-archived', subject: positionKey(position) });
  }
  return violations;
}
