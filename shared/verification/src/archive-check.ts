import type { DeviceId } from '@twinstream/device-model';
import { type Position, positionKey } from '@twinstream/stream-model';
import { PositionSet } from './position-set.ts';
import type { ChainEvent, Difference } from './verify-device.ts';

/** Compares stored events with the positions that the archive holds. */
export interface ArchiveCheck {
  /** To be told of every stored event. */
  onEvent(deviceId: DeviceId, event: ChainEvent): void;
  /** Distinct positions in the archive. */
  readonly archived: number;
  /** Stored events found there. */
  readonly found: () => number;
  /** Stored events that the archive lacks and need not have yet. */
  readonly notDue: () => number;
  readonly differences: readonly Difference[];
}

/**
 * Reads the archive's positions once, into a set of 14-27 bytes each. Events that arrived at or after `dueBefore`
 * (milliseconds since 1970) may still be on their way to it.
 */
export async function archiveCheck(
  archivedPositions: AsyncIterable<Position>,
  dueBefore: number,
): Promise<ArchiveCheck> {
  const positions = new PositionSet();
  for await (const position of archivedPositions) positions.add(position);
  const differences: Difference[] = [];
  let [found, notDue] = [0, 0];
  return {
    archived: positions.size,
    found: () => found,
    notDue: () => notDue,
    differences,
    onEvent: (deviceId, { shardId, stored }) => {
      const position = { shardId, ...stored.place };
      if (positions.has(position)) found += 1;
      else if (stored.arrivalTime >= dueBefore) notDue += 1;
      else {
        const subject = positionKey(position);
        differences.push({ deviceId, kind: 'not-archived', subject, expected: 'a line', found: 'none' });
      }
    },
  };
}
