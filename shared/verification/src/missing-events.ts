import type { Difference } from './difference.ts';

/** Positions of a device that are listed one by one for one kind of difference; the rest is counted. */
const LISTED_MAX = 1_000;

/** Differences of which a device may have as many as it has events. */
export class ListedDifferences {
  readonly #listed: Difference[] = [];
  readonly #counts = new Map<string, { kind: Difference['kind']; deviceId: string; count: number }>();

  add(difference: Difference): void {
    const { kind, deviceId } = difference;
    const key = `${kind} ${deviceId}`;
    const known = this.#counts.get(key) ?? { kind, deviceId, count: 0 };
    this.#counts.set(key, known);
    known.count += 1;
    if (known.count <= LISTED_MAX) this.#listed.push(difference);
  }

  all(): Difference[] {
    const rest: Difference[] = [];
    for (const { kind, deviceId, count } of this.#counts.values()) {
      const more = count - LISTED_MAX;
      if (more <= 0) continue;
      rest.push({
        deviceId,
        kind,
        subject: `${more} more positions`,
        expected: 'as above',
        found: 'as above',
      });
    }
    return [...this.#listed, ...rest];
  }
}

/** What the archive has and nothing else. */
export class MissingEvents {
  count = 0;
  readonly #listed = new ListedDifferences();
  readonly #lost = new Map<string, number>();

  /** An event of a device of which other things are stored. */
  addNotStored(deviceId: string, position: string, identity: string): void {
    this.count += 1;
    const [expected, found] = [identity, 'nothing stored'];
    this.#listed.add({ deviceId, kind: 'not-stored', subject: position, expected, found });
  }

  /** An event of a device of which nothing at all is stored. */
  addOfLostDevice(deviceId: string): void {
    this.count += 1;
    this.#lost.set(deviceId, (this.#lost.get(deviceId) ?? 0) + 1);
  }

  /** An invalid entry. */
  addNotQuarantined(partitionKey: string, position: string): void {
    this.count += 1;
    const [expected, found] = ['a dead letter', 'none'];
    this.#listed.add({ deviceId: partitionKey, kind: 'not-quarantined', subject: position, expected, found });
  }

  differences(): Difference[] {
    const lost = [...this.#lost].map(([deviceId, count]): Difference => {
      const expected = `${count} archived ${count === 1 ? 'event' : 'events'}`;
      return { deviceId, kind: 'device-missing', subject: 'the device', expected, found: 'nothing stored' };
    });
    return [...lost, ...this.#listed.all()];
  }
}
