import { isJsonObject, type JsonObject, type RejectionReason } from '@twinstream/device-model';
import type { Draws } from '../fleet/draws.ts';
import { type Damage, lineBytes } from '../sending/planned-event.ts';

interface Breakage {
  readonly rejection: RejectionReason;
  readonly apply: (text: string, draws: Draws) => Uint8Array;
}

const TOO_LONG_ID = 'x'.repeat(257);
const NO_UTF8 = Uint8Array.of(0xc3, 0x28);

/** Every way in which an event is damaged, each as likely as the next. */
const BREAKAGES: readonly Breakage[] = [
  { rejection: 'empty', apply: () => new Uint8Array(0) },
  {
    rejection: 'not-json',
    apply: (text, draws) => lineBytes(text.slice(0, 1 + draws.below(text.length - 1))),
  },
  { rejection: 'not-object', apply: (text) => lineBytes(`[${text}]`) },
  { rejection: 'invalid-utf8', apply: (text) => withBytes(text, NO_UTF8) },
  { rejection: 'unsupported-version', apply: changed({ v: 99 }) },
  { rejection: 'missing-device-id', apply: changed({ deviceId: undefined }) },
  { rejection: 'invalid-device-id', apply: changed({ deviceId: TOO_LONG_ID }) },
  { rejection: 'invalid-type', apply: changed({ type: '' }) },
  { rejection: 'invalid-time', apply: changed({ time: 'yesterday' }) },
  { rejection: 'invalid-counter', apply: changed({ session: -1, counter: 0 }) },
  { rejection: 'invalid-data', apply: changed({ data: 17 }) },
];

/** The text of an event, damaged in one of the ways that quarantine knows a reason for. */
export function damage(text: string, draws: Draws): Damage {
  const breakage = BREAKAGES[draws.below(BREAKAGES.length)];
  if (breakage === undefined) throw new RangeError('no way to damage an event');
  return { bytes: breakage.apply(text, draws), rejection: breakage.rejection };
}

/** Puts bytes into the middle of the text, which is a string inside of a JSON text at worst. */
function withBytes(text: string, bytes: Uint8Array): Uint8Array {
  const middle = Math.floor(text.length / 2);
  return Buffer.concat([Buffer.from(text.slice(0, middle)), bytes, lineBytes(text.slice(middle))]);
}

function changed(members: Readonly<Record<string, JsonObject[string] | undefined>>) {
  return (text: string): Uint8Array => {
    const event: unknown = JSON.parse(text);
    if (!isJsonObject(event)) throw new TypeError('an event is a JSON object');
    return lineBytes(JSON.stringify({ ...event, ...members }));
  };
}
