import {
  type DeviceEvent,
  type DeviceId,
  deviceId,
  encodeEvent,
  type JsonObject,
} from '@twinstream/device-model';
import type { Random } from '@twinstream/test-kit';
import { flawed } from './flawed-events.ts';
import { ForeignScript, KeyedScript } from './foreign-fleet.ts';
import type { ForeignScenario } from './scenario.ts';

/** One thing that somebody puts into the stream. */
export interface Sending {
  readonly deviceId: DeviceId;
  readonly data: Uint8Array;
  /** Absent for an invalid record. */
  readonly event?: DeviceEvent;
  /** Through the project's producer, which keeps order and may send twice; else straight into the stream, once. */
  readonly throughProducer: boolean;
}

type DeviceKind = 'counted' | 'uncounted' | 'mixed';
const KINDS: readonly DeviceKind[] = ['counted', 'counted', 'uncounted', 'mixed'];
const ATTRIBUTES = ['a', 'b', 'site', '__proto__'] as const;
const BASE_TIME_MS = Date.parse('2026-01-01T00:00:00Z');

const MALFORMED: readonly Uint8Array[] = [
  new Uint8Array(),
  new TextEncoder().encode('not json'),
  new TextEncoder().encode('[]'),
  new TextEncoder().encode('{"v":1}'),
  Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2, 1, 2, 3),
  Uint8Array.of(0xff, 0xfe),
];

/** What a device has in mind: it sends with counters that skip, repeat and come late, reboots, and is corrected. */
class DeviceScript {
  readonly #random: Random;
  readonly #id: DeviceId;
  readonly #kind: DeviceKind;
  readonly #throughProducer: boolean;
  readonly #poisonShare: number;
  #session = 1;
  #counter = 0;
  #said = 0;
  #corrections = 0;
  readonly #sent: DeviceEvent[] = [];
  #held: DeviceEvent[] = [];

  constructor(index: number, random: Random, poisonShare: number) {
    this.#poisonShare = poisonShare;
    this.#random = random;
    this.#id = deviceId(`device-${index}`);
    this.#kind = random.pick(KINDS);
    this.#throughProducer = this.#kind === 'counted' && random.chance(0.6);
  }

  next(): Sending {
    const random = this.#random;
    if (random.chance(this.#poisonShare)) return this.#poison();
    if (this.#sent.length > 0 && random.chance(0.08)) return this.#sending(this.#correction());
    const resendable = this.#sent.filter(({ identity, correction }) => identity ?? correction);
    if (resendable.length > 0 && random.chance(0.12)) return this.#sending(random.pick(resendable));
    if (this.#held.length > 0 && random.chance(0.4)) return this.#sending(this.#held.shift() as DeviceEvent);
    const event = this.#event();
    if (event.identity !== undefined && random.chance(0.12)) {
      this.#held.push(event);
      return this.next();
    }
    return this.#sending(event);
  }

  #sending(event: DeviceEvent): Sending {
    this.#sent.push(event);
    return { deviceId: this.#id, data: encodeEvent(event), event, throughProducer: this.#throughProducer };
  }

  /** An invalid record, or one with a flaw, which may be sent again without it. */
  #poison(): Sending {
    const poison = { deviceId: this.#id, throughProducer: false };
    if (this.#random.chance(0.4)) return { ...poison, data: this.#random.pick(MALFORMED) };
    const event = this.#event();
    this.#sent.push(event);
    return { ...poison, data: flawed(encodeEvent(event)) };
  }

  #event(): DeviceEvent {
    const random = this.#random;
    const type = random.pick(['reported', 'reported', 'reported', 'connected', 'disconnected', 'unheard-of']);
    const base = { v: 1, deviceId: this.#id, type, time: this.#time(), data: this.#data() } as const;
    const counted = this.#kind === 'counted' || (this.#kind === 'mixed' && random.chance(0.6));
    if (!counted) return base;
    if (random.chance(0.08)) {
      this.#session += 1 + random.integer(2);
      this.#counter = random.integer(3);
    }
    this.#counter += random.chance(0.1) ? 2 + random.integer(3) : 1;
    return { ...base, identity: { session: this.#session, counter: this.#counter } };
  }

  #correction(): DeviceEvent {
    this.#corrections += 1;
    const target = this.#random.pick(this.#sent).identity;
    const corrects = target !== undefined && this.#random.chance(0.5) ? { corrects: target } : {};
    const correction = {
      correctionId: `c${this.#corrections}`,
      reason: 'wrong',
      actor: 'operator',
      ...corrects,
    };
    return {
      v: 1,
      deviceId: this.#id,
      type: 'corrected',
      time: this.#time(),
      data: this.#data(),
      correction,
    };
  }

  #time(): string {
    return new Date(BASE_TIME_MS + this.#random.integer(100_000)).toISOString();
  }

  /** Every value is said once, so that equal states mean equal events. */
  #data(): JsonObject {
    const data: Record<string, string | null> = Object.create(null);
    for (const name of ATTRIBUTES) {
      if (!this.#random.chance(0.4)) continue;
      this.#said += 1;
      data[name] = this.#random.chance(0.15) ? null : `said ${this.#said}`;
    }
    return data;
  }
}

export interface Workload {
  readonly deviceCount: number;
  readonly eventCount: number;
  /** Share of invalid records. */
  readonly poisonShare: number;
  readonly foreign?: ForeignScenario;
}

/** A foreign device, which puts straight into the stream. */
class ForeignDevice {
  readonly #id: DeviceId;
  readonly #random: Random;
  readonly #script: ForeignScript;
  readonly #poisonShare: number;

  constructor(index: number, random: Random, { poisonShare, foreign }: Workload) {
    this.#id = deviceId(`foreign-${index}`);
    this.#random = random;
    this.#poisonShare = poisonShare;
    const changesFirmware = foreign?.changeAfter !== undefined && random.chance(0.5);
    this.#script = new ForeignScript(this.#id, random, { attributes: ATTRIBUTES, changesFirmware });
  }

  next(): Sending {
    const random = this.#random;
    const sending = { deviceId: this.#id, throughProducer: false };
    if (!random.chance(this.#poisonShare)) return { ...sending, data: this.#script.next() };
    return { ...sending, data: random.pick(MALFORMED) };
  }
}

/** A foreign device whose events have keys, which puts straight into the stream. */
class KeyedDevice {
  readonly #id: DeviceId;
  readonly #random: Random;
  readonly #script: KeyedScript;
  readonly #poisonShare: number;

  constructor(index: number, random: Random, { poisonShare }: Workload) {
    this.#id = deviceId(`keyed-${index}`);
    this.#random = random;
    this.#poisonShare = poisonShare;
    this.#script = new KeyedScript(this.#id, random, ATTRIBUTES);
  }

  /** Some records have a flaw, and are put again without it, or lie in quarantine until an operator takes it away. */
  next(): Sending {
    const random = this.#random;
    const sending = { deviceId: this.#id, throughProducer: false };
    if (!random.chance(this.#poisonShare)) return { ...sending, data: this.#script.next() };
    return { ...sending, data: random.chance(0.5) ? random.pick(MALFORMED) : flawed(this.#script.next()) };
  }
}

/** Devices that take turns to say `eventCount` things. */
export function* sendings(workload: Workload, random: Random): Generator<Sending> {
  const { deviceCount, eventCount, poisonShare, foreign } = workload;
  const scripts = Array.from({ length: deviceCount }, (_, index) =>
    foreign !== undefined && (index === 0 || random.chance(0.5))
      ? isKeyed(foreign, random)
        ? new KeyedDevice(index, random, workload)
        : new ForeignDevice(index, random, workload)
      : new DeviceScript(index, random, poisonShare),
  );
  for (let said = 0; said < eventCount; said += 1) yield random.pick(scripts).next();
}

function isKeyed({ keyed }: ForeignScenario, random: Random): boolean {
  return keyed === 'all' || (keyed === 'some' && random.chance(0.5));
}
