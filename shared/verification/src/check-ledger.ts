import { type DeviceEvent, type DeviceId, deviceId } from '@twinstream/device-model';
import type { EventStore } from '@twinstream/event-store';
import { type Position, positionKey } from '@twinstream/stream-model';
import { canonicalText } from './canonical-text.ts';
import type { Difference } from './difference.ts';
import { identityOf } from './identity.ts';
import { type VerificationStores, verifyDevice } from './verify-device.ts';

/** One event that somebody claims to have put into the stream. */
export interface SentEvent {
  readonly deviceId: string;
  /** Absent for an invalid record. */
  readonly event?: DeviceEvent;
  /** `acknowledged`: the stream has said so. `uncertain`: it may be there. */
  readonly fate: 'acknowledged' | 'uncertain';
  /** Where the acknowledged one lies. */
  readonly position?: Position;
}

/** Something that was sent and is not where it should be, or is where nothing was sent. */
export interface LedgerViolation {
  readonly kind: Difference['kind'] | 'lost' | 'never-sent' | 'content-differs' | 'out-of-order' | 'given-up';
  readonly subject: string;
}

export interface LedgerReport {
  readonly devices: number;
  /** Acknowledged, valid ones, each identity once. */
  readonly sent: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly late: number;
  readonly malformed: number;
  /** Distinct positions in the archive; absent where it was not looked at. */
  readonly archived?: number;
  readonly violations: readonly LedgerViolation[];
}

export interface LedgerSources extends VerificationStores {
  readonly eventStore: VerificationStores['eventStore'] & Pick<EventStore, 'deviceIds'>;
  readonly sent: AsyncIterable<SentEvent>;
  /** Positions of all archive lines. */
  readonly archivedPositions?: AsyncIterable<Position>;
  /** Positions of all that is in quarantine; not asked for where nothing malformed was sent. */
  readonly quarantinedPositions?: AsyncIterable<Position>;
  /** True where the ledger names every event of these stores; then what it does not name is a violation too. */
  readonly isComplete: boolean;
}

/** What the ledger says of one device. */
interface Expectation {
  readonly certain: Map<string, string>;
  readonly possible: Map<string, string>;
}

/** Stores that are far away answer slowly, and many requests concurrently. */
const DEVICES_AT_ONCE = 16;

/** Checks every event sent against event store, state, archive and quarantine. Holds the ledger in memory. */
export async function checkLedger(sources: LedgerSources): Promise<LedgerReport> {
  const violations: LedgerViolation[] = [];
  const expectations = new Map<DeviceId, Expectation>();
  const positions = new Set<string>();
  const malformed = new Set<string>();
  for await (const entry of sources.sent) {
    if (entry.position !== undefined) positions.add(positionKey(entry.position));
    if (entry.event === undefined) {
      if (entry.position !== undefined) malformed.add(positionKey(entry.position));
      continue;
    }
    remember(expectations, entry, entry.event);
  }
  let [stored, duplicates, late, sent] = [0, 0, 0, 0];
  const found = await Array.fromAsync(sources.eventStore.deviceIds());
  const ids = new Set(sources.isComplete ? [...expectations.keys(), ...found] : expectations.keys());
  const rest = ids.values();
  const checkRest = async () => {
    for (const id of rest) {
      const device = await checkDevice(sources, id, expectations.get(id), violations);
      sent += expectations.get(id)?.certain.size ?? 0;
      stored += device.events;
      duplicates += device.duplicates;
      late += device.late;
    }
  };
  await Promise.all(Array.from({ length: DEVICES_AT_ONCE }, checkRest));
  const archived = await checkArchive(sources, positions, violations);
  await checkQuarantine(sources, malformed, violations);
  const report = { devices: ids.size, sent, stored, duplicates, late, malformed: malformed.size, violations };
  return archived === undefined ? report : { ...report, archived };
}

function remember(expectations: Map<DeviceId, Expectation>, entry: SentEvent, event: DeviceEvent): void {
  const id = deviceId(entry.deviceId);
  const expectation = expectations.get(id) ?? { certain: new Map(), possible: new Map() };
  expectations.set(id, expectation);
  // An uncounted event is itself by its position, which an uncertain one does not know.
  if (event.identity === undefined && event.correction === undefined && entry.position === undefined) return;
  const { shardId, ...place } = entry.position ?? NOWHERE;
  const identity = identityOf(shardId, { event, place });
  const target = entry.fate === 'acknowledged' ? expectation.certain : expectation.possible;
  target.set(identity, canonicalText(event));
}

const NOWHERE = { shardId: 'none', sequenceNumber: '0', subSequenceNumber: 0 } as unknown as Position;

async function checkDevice(
  sources: LedgerSources,
  id: DeviceId,
  expectation: Expectation | undefined,
  violations: LedgerViolation[],
) {
  const missing = new Set(expectation?.certain.keys());
  const { state, differences } = await verifyDevice(sources, id, {
    onEvent: ({ shardId, stored }) => {
      const identity = identityOf(shardId, stored);
      const expected = expectation?.certain.get(identity) ?? expectation?.possible.get(identity);
      missing.delete(identity);
      if (expected === undefined) {
        if (sources.isComplete) violations.push({ kind: 'never-sent', subject: `${id} ${identity}` });
      } else if (expected !== canonicalText(stored.event)) {
        violations.push({ kind: 'content-differs', subject: `${id} ${identity}` });
      }
    },
  });
  for (const { kind, subject, expected, found } of differences) {
    violations.push({ kind, subject: `${id} ${subject}: expected ${expected}, found ${found}` });
  }
  for (const identity of missing) violations.push({ kind: 'lost', subject: `${id} ${identity}` });
  return state.counts;
}

async function checkArchive(
  { archivedPositions }: LedgerSources,
  positions: ReadonlySet<string>,
  violations: LedgerViolation[],
): Promise<number | undefined> {
  if (archivedPositions === undefined) return undefined;
  const archived = new Set<string>();
  for await (const position of archivedPositions) archived.add(positionKey(position));
  for (const position of positions) {
    if (!archived.has(position)) violations.push({ kind: 'not-archived', subject: position });
  }
  return archived.size;
}

async function checkQuarantine(
  { quarantinedPositions }: LedgerSources,
  malformed: ReadonlySet<string>,
  violations: LedgerViolation[],
): Promise<void> {
  if (quarantinedPositions === undefined || malformed.size === 0) return;
  const kept = new Set<string>();
  for await (const position of quarantinedPositions) kept.add(positionKey(position));
  for (const position of malformed) {
    if (!kept.has(position)) violations.push({ kind: 'not-quarantined', subject: position });
  }
}
