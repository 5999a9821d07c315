import { appendFileSync, createReadStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { s3Client } from '@twinstream/aws/s3';
import type { DeviceId } from '@twinstream/device-model';
import { LEDGER_LINE_BYTES_MAX } from '@twinstream/device-simulator';
import { type Access, pipelineStores, sentEvents } from '@twinstream/end-to-end';
import type { AuditableEventStore } from '@twinstream/event-store';
import { FAILED_BATCHES_PREFIX } from '@twinstream/pipeline-settings';
import { readLines } from '@twinstream/runtime';
import type { Position } from '@twinstream/stream-model';
import { checkLedger, type LedgerViolation, quarantinedPositions } from '@twinstream/verification';
import {
  type ArchiveCheckOptions,
  CLOCKS_DIFFER_MS_MAX,
  missingFromArchive,
} from './archive-completeness.ts';

export interface LedgerCheckOptions extends ArchiveCheckOptions {
  /** For the parts of a ledger that is too large to be checked together. */
  readonly folder: string;
  readonly acknowledged: number;
  /** True where the stream has every event of each device in the order of its counters: none was given up. */
  readonly isOrdered: boolean;
  /** Told of each part of the ledger before it is checked, where there are several. */
  readonly onPart?: (part: number, partCount: number) => void;
}

/** What the check of a ledger came to. */
export interface LedgerFindings {
  readonly devices: number;
  readonly sent: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly late: number;
  readonly malformed: number;
  /** Pages of the devices; null where events are not kept in pages. */
  readonly pages: number | null;
  /** Positions of the ledger that the archive holds; null where there is none. */
  readonly archived: number | null;
  readonly violationCount: number;
  readonly violationsByKind: Readonly<Record<string, number>>;
  /** The first of them, {@link VIOLATIONS_LISTED_MAX} at most. */
  readonly violations: readonly LedgerViolation[];
}

/** Events checked together; a million take about a gigabyte. */
const EVENTS_AT_ONCE_MAX = 400_000;
const VIOLATIONS_LISTED_MAX = 50;
const WRITE_CHARACTERS = 1 << 20;

/**
 * Checks every event of the ledger against event store, state and quarantine, a part of the devices at a time so that
 * memory stays bounded, and against the archive, which may be completed until the deadline.
 */
export async function checkLoad(options: LedgerCheckOptions): Promise<LedgerFindings> {
  const { access, ledgerFiles, folder, acknowledged, signal } = options;
  const partCount = Math.max(1, Math.ceil(acknowledged / EVENTS_AT_ONCE_MAX));
  const parts = partCount === 1 ? [ledgerFiles] : await split(ledgerFiles, folder, partCount);
  const stores = pipelineStores(access);
  const storedDevices = once(() => storedDevicesByPart(stores, partCount, options));
  const quarantined = once(() => positionsInQuarantine(stores, options));
  const violations: LedgerViolation[] = [];
  const eventStore = orderChecked(stores.eventStore, (deviceId, what) => {
    if (options.isOrdered) violations.push({ kind: 'out-of-order', subject: `${deviceId} ${what}` });
  });
  let pages = 0;
  const sums = { devices: 0, sent: 0, stored: 0, duplicates: 0, late: 0, malformed: 0 };
  try {
    for (const [part, files] of parts.entries()) {
      if (partCount > 1) options.onPart?.(part + 1, partCount);
      const report = await checkLedger({
        latestState: stores.latestState,
        quarantinedPositions: later(quarantined),
        eventStore: {
          ...eventStore,
          deviceIds: () => later(async () => (await storedDevices())[part] ?? []),
          async *auditPages(deviceId, auditOptions) {
            signal?.throwIfAborted();
            for await (const audited of eventStore.auditPages(deviceId, auditOptions)) {
              if (audited.kind !== 'foreign') pages += 1;
              yield audited;
            }
          },
        },
        sent: sentEvents(...files),
        isComplete: true,
      });
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += report[name];
      for (const violation of report.violations) violations.push(violation);
      if (partCount > 1) for (const file of files) rmSync(file);
    }
  } finally {
    stores.close();
  }
  // Once for all parts.
  const archive = await missingFromArchive(options);
  for (const violation of archive.violations) violations.push(violation);
  // Those of a pipeline that others use may be theirs.
  if (options.sharedSinceMs === undefined) {
    for (const subject of await givenUpBatches(access)) violations.push({ kind: 'given-up', subject });
  }
  return { ...sums, pages, archived: archive.archived, ...told(violations) };
}

/** Keys of the batches that a mapping has given up: their records wait for an operator. */
async function givenUpBatches({ clients, archiveBucket: Bucket }: Access): Promise<readonly string[]> {
  const s3 = s3Client(clients.s3);
  try {
    const keys: string[] = [];
    for await (const { Contents = [] } of paginateListObjectsV2(
      { client: s3 },
      { Bucket, Prefix: FAILED_BATCHES_PREFIX },
    )) {
      keys.push(...Contents.flatMap(({ Key }) => Key ?? []));
    }
    return keys;
  } finally {
    s3.destroy();
  }
}

type Stores = ReturnType<typeof pipelineStores>;

/** Devices of the event store by the part that checks them: found once, for a scan takes as long for one part as for all. */
async function storedDevicesByPart(
  { eventStore }: Stores,
  partCount: number,
  { sharedSinceMs, signal }: LedgerCheckOptions,
): Promise<readonly (readonly DeviceId[])[]> {
  const byPart = Array.from({ length: partCount }, (): DeviceId[] => []);
  // The devices of the ledgers are looked at anyhow; a table of others is neither searched nor judged.
  if (sharedSinceMs !== undefined) return byPart;
  for await (const id of eventStore.deviceIds(signal)) byPart[partOf(id, partCount)]?.push(id);
  return byPart;
}

/** What is in quarantine; in one that others fill, too, from the hour on in which the run began. */
async function positionsInQuarantine(
  { quarantine }: Stores,
  { sharedSinceMs, signal }: LedgerCheckOptions,
): Promise<readonly Position[]> {
  return await Array.fromAsync(
    quarantinedPositions(quarantine, {
      ...(sharedSinceMs === undefined ? {} : { from: sharedSinceMs - CLOCKS_DIFFER_MS_MAX }),
      ...(signal === undefined ? {} : { signal }),
    }),
  );
}

/** Memoizes a lazy asynchronous computation. */
function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

/** Items that are asked for when the first of them is needed. */
async function* later<Item>(items: () => Promise<readonly Item[]>): AsyncGenerator<Item> {
  yield* await items();
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
    const lines = readLines(createReadStream(file), { name: file, lineBytesMax: LEDGER_LINE_BYTES_MAX });
    for await (const { text: line } of lines) {
      const part = partOf(DEVICE_ID.exec(line)?.[1] ?? '', partCount);
      texts[part] += `${line}
`;
      if ((texts[part]?.length ?? 0) > WRITE_CHARACTERS) flush(part);
    }
  }
  for (const part of files.keys()) flush(part);
  return files.map((file) => [file]);
}

type Pages = Pick<AuditableEventStore, 'auditPages'>;

/**
 * An event store through which whole chains are read, and whose counted events must rise by session and counter: the
 * order in which each device sent them. Tells of each that does not, once for every time that its chain is read.
 */
export function orderChecked<Store extends Pages>(
  store: Store,
  onDisorder: (deviceId: DeviceId, what: string) => void,
): Store {
  return {
    ...store,
    async *auditPages(deviceId, options) {
      let [lastSession, lastCounter] = [-1, -1];
      for await (const audited of store.auditPages(deviceId, options)) {
        yield audited;
        if (audited.kind !== 'page') continue;
        const { page, events } = audited.page;
        for (const { event } of events) {
          if (event.identity === undefined) continue;
          const { session, counter } = event.identity;
          if (session > lastSession || (session === lastSession && counter > lastCounter)) {
            [lastSession, lastCounter] = [session, counter];
          } else {
            const place = `page ${page}: session ${session}, counter ${counter}`;
            onDisorder(deviceId, `${place} after session ${lastSession}, counter ${lastCounter}`);
          }
        }
      }
    },
  } satisfies Store;
}
