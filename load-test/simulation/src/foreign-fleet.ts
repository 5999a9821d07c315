import type { DeviceId, EntryDecoder, EventPage } from '@twinstream/device-model';
import { compileMappings, mappingDecoder, readMapping } from '@twinstream/payload-mapping';
import type { Random } from '@twinstream/test-kit';
import { mappedText } from '@twinstream/verification';
import { Violation } from './violation.ts';

/** The counter of a foreign device wraps after 15. */
const BITS = 4;
const RANGE = 2 ** BITS;
/** How far back an event may come late, or again. */
const LATE_MAX = 2;
/** Counters that are lost at most before an event: what is late as well stays within half of the range. */
const LOST_MAX = RANGE / 2 - LATE_MAX - 1;
const BASE_TIME_MS = Date.parse('2026-01-01T00:00:00Z');

/** The windows of keys: one of a few events, and the default. */
const SHORT_WINDOW = 16;
/** What may be put again: the newest events of the device. */
const AGAIN_MAX = 3;

/** Versions of the mapping: the second knows the name that newer firmware has for the device as well. */
export type MappingVersion = 1 | 2;

function decoderOf(version: MappingVersion): EntryDecoder {
  const name = version === 1 ? 'd' : { first: ['d', 'dev'] };
  const event = (id: unknown) => ({
    deviceId: id,
    time: { path: 't', steps: [{ time: { unit: 'milliseconds' } }] },
    identity: {
      wrapping: 'n',
      bits: BITS,
      lateMax: LATE_MAX,
      restart: [{ value: 'boot', equals: true }],
      optional: true,
    },
    data: { path: 'x' },
  });
  /** Events that have a key, or nothing but their content, and none of it where they are to have neither. */
  const keyed = (identity: object) => ({
    deviceId: '$payload.k',
    time: { path: 't', steps: [{ time: { unit: 'milliseconds' } }] },
    identity,
    data: { path: 'x' },
  });
  const keyedRule = (kind: string, identity: object) => [
    {
      ...{
        name: `${kind}s`,
        when: [
          { value: 'kind', equals: kind },
          { value: 'list', is: 'array' },
        ],
      },
      ...{ each: { path: 'list' }, event: keyed(identity) },
    },
    { name: kind, when: [{ value: 'kind', equals: kind }], event: keyed(identity) },
  ];
  const document = readMapping({
    ...{ language: 1, mapping: 'fleet', version },
    rules: [
      { name: 'ping', when: [{ value: 'ping', exists: true }], ignore: 'says nothing' },
      {
        ...{
          name: 'readings',
          when: [
            { value: 'list', is: 'array' },
            { value: name, exists: true },
          ],
        },
        ...{
          each: { path: 'list' },
          event: event(version === 1 ? '$payload.d' : { first: ['$payload.d', '$payload.dev'] }),
        },
      },
      { name: 'reading', when: [{ value: name, exists: true }], event: event(name) },
      ...keyedRule('short', { key: 'id', window: { events: SHORT_WINDOW }, optional: true }),
      ...keyedRule('long', { key: 'id', optional: true }),
      ...keyedRule('content', { content: true, window: { events: SHORT_WINDOW } }),
    ],
  });
  const mapper = 'faults' in document ? document : compileMappings([document]);
  if ('faults' in mapper) throw new TypeError(JSON.stringify(mapper.faults));
  return mappingDecoder(mapper);
}

const DECODERS: Readonly<Record<MappingVersion, EntryDecoder>> = { 1: decoderOf(1), 2: decoderOf(2) };

/** Makes events of this project's own format, and of foreign ones where the version of the mapping knows them. */
export function fleetDecoder(version: MappingVersion): EntryDecoder {
  return DECODERS[version];
}

/** Whether only the second version of the mapping makes events of it: until that is in use, it goes to quarantine. */
export function isNewFirmware(data: Uint8Array): boolean {
  return Buffer.from(data.subarray(0, NEW_FIRMWARE.length)).equals(NEW_FIRMWARE);
}
const NEW_FIRMWARE = Buffer.from('{"dev":');

/** The text of an event as any version of the mapping makes it, without the identity that was derived for it. */
export function comparableText(text: string): string {
  return mappedText(text).replace(
    '"mapping":{"name":"fleet","version":1}',
    '"mapping":{"name":"fleet","version":2}',
  );
}

/** An event as its device made it. */
interface Made {
  /** In its session, without wrapping. */
  readonly count: number;
  /** JSON of the payload, apart from the device's name. */
  readonly reading: string;
}

/** A device of a foreign fleet: counts by a number that wraps, loses some, sends late and again, restarts, has a clock that runs on. */
export class ForeignScript {
  readonly #random: Random;
  readonly #id: DeviceId;
  readonly #attributes: readonly string[];
  readonly #changesFirmware: boolean;
  /** Time of the restart that began it. */
  #session = 0;
  #count = -1;
  #said = 0;
  #hasNewFirmware = false;
  /** What may be sent again: the newest of its session, of which the first is the newest. */
  #recent: Made[] = [];

  constructor(
    id: DeviceId,
    random: Random,
    options: { readonly attributes: readonly string[]; readonly changesFirmware: boolean },
  ) {
    this.#random = random;
    this.#id = id;
    this.#attributes = options.attributes;
    this.#changesFirmware = options.changesFirmware;
  }

  /** One record. */
  next(): Uint8Array {
    const random = this.#random;
    if (random.chance(0.05)) return this.#payload('"ping":1');
    if (random.chance(0.08)) return this.#payload(this.#uncounted());
    const [newest] = this.#recent;
    const near = this.#recent.filter(({ count }) => count >= (newest?.count ?? 0) - LATE_MAX);
    if (near.length > 0 && random.chance(0.12)) return this.#payload(random.pick(near).reading);
    const made = this.#make();
    // The next one overtakes it, unless that would be a restart, or too far ahead.
    if (made.count === 0 || !random.chance(0.2)) return this.#payload(made.reading);
    const late = this.#make(1);
    const swapped = random.chance(0.5) ? [late, made] : [made, late];
    return this.#payload(`"list":[${swapped.map(({ reading }) => `{${reading}}`).join(',')}]`);
  }

  #payload(members: string): Uint8Array {
    if (this.#changesFirmware && this.#random.chance(0.1)) this.#hasNewFirmware = true;
    return Buffer.from(`{"${this.#hasNewFirmware ? 'dev' : 'd'}":"${this.#id}",${members}}`);
  }

  /** @param step how far the counter advances; absent: as chance has it, and perhaps to a restart */
  #make(step?: number): Made {
    const random = this.#random;
    const isRestart = this.#count < 0 || (step === undefined && random.chance(0.06));
    const time = this.#time();
    if (isRestart) {
      this.#session = time;
      this.#count = 0;
      this.#recent = [];
    } else this.#count += step ?? (random.chance(0.15) ? 1 + random.integer(LOST_MAX) : 1);
    const made = `${this.#session}.${this.#count}`;
    const boot = isRestart ? ',"boot":true' : '';
    const reading = `"n":${this.#count % RANGE},"t":${time}${boot},"x":${this.#data(made)}`;
    const whole = { count: this.#count, reading };
    this.#recent = [whole, ...this.#recent].slice(0, 1 + LATE_MAX);
    return whole;
  }

  /** What a device says beside its counter, after all that it has said. */
  #uncounted(): string {
    return `"t":${this.#time()},"x":${this.#data('uncounted')}`;
  }

  #time(): number {
    this.#said += 1;
    return BASE_TIME_MS + this.#said;
  }

  /** Values are said once, some of them in digits that a double does not hold. */
  #data(made: string): string {
    const members = this.#attributes
      .filter(() => this.#random.chance(0.4))
      .map((name, index) => {
        const said = this.#random.chance(0.15) ? 'null' : `9007199254740993${this.#said}${index}`;
        return `${JSON.stringify(name)}:${said}`;
      });
    return `{${[`"made":"${made}"`, ...members].join(',')}}`;
  }
}

export const KEYED_KINDS = ['short', 'long', 'content'] as const;

/** A device whose events have keys, which are those of other devices, too: it puts some again, alone or beside others. */
export class KeyedScript {
  readonly #random: Random;
  readonly #id: DeviceId;
  readonly #kind: (typeof KEYED_KINDS)[number];
  readonly #attributes: readonly string[];
  #said = 0;
  /** JSON of readings that may be put again. */
  #recent: string[] = [];

  constructor(id: DeviceId, random: Random, attributes: readonly string[]) {
    this.#random = random;
    this.#id = id;
    this.#kind = random.pick(KEYED_KINDS);
    this.#attributes = attributes;
  }

  /** One record. */
  next(): Uint8Array {
    const random = this.#random;
    if (random.chance(0.05)) return this.#payload('"ping":1');
    const readings = Array.from({ length: random.chance(0.2) ? 2 : 1 }, () => {
      const isAgain = this.#recent.length > 0 && random.chance(0.25);
      return isAgain ? random.pick(this.#recent) : this.#make();
    });
    const [only = '', ...more] = readings;
    const list = () => readings.map((reading) => `{${reading}}`).join(',');
    return this.#payload(more.length === 0 ? only : `"list":[${list()}]`);
  }

  #payload(members: string): Uint8Array {
    return Buffer.from(`{"k":"${this.#id}","kind":"${this.#kind}",${members}}`);
  }

  #make(): string {
    const random = this.#random;
    this.#said += 1;
    const data = this.#attributes
      .filter(() => random.chance(0.4))
      .map((name) => `${JSON.stringify(name)}:${random.chance(0.15) ? 'null' : `"said ${this.#said}"`}`);
    const hasKey = this.#kind === 'content' || !random.chance(0.1);
    const key = hasKey && this.#kind !== 'content' ? `"id":"${this.#said}",` : '';
    const reading = `${key}"t":${BASE_TIME_MS + this.#said},"x":{${data.join(',')}}`;
    if (hasKey) this.#recent = [reading, ...this.#recent].slice(0, AGAIN_MAX);
    return reading;
  }
}

/**
 * The derived session and counter of each event are the true ones, where the records of a device arrive in their order and
 * none is given up. Left out: devices of which a restart was delivered again when it could not be told from a new one.
 */
export function checkDerived(pages: ReadonlyMap<DeviceId, readonly EventPage[]>): void {
  for (const [deviceId, chain] of pages) {
    const events = chain
      .flatMap((page) => page.events)
      .filter(({ text }) => text.includes('"source":{"counter":'));
    if (events.some(({ event }) => event.identity === undefined)) continue;
    for (const { event } of events) {
      const derived = `${event.identity?.session}.${event.identity?.counter}`;
      if (derived === event.data.made) continue;
      throw new Violation(
        'a derived identity is the true one',
        `${deviceId}: ${derived} of ${String(event.data.made)}`,
      );
    }
  }
}
