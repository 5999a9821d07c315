import type { Finding } from './find-device.ts';
import { type Field, plainName } from './sample-fields.ts';

const COUNTER =
  /^(?:seq|seqno|seqnum|sequence|sequencenumber|counter|count|fcnt|msgno|msgid|messagenumber|framecounter|n)$/;
const SESSION = /^(?:session|sessionid|boot|bootcount|bootid|reboots|reboot|restart|restarts|bdseq)$/;
/** Of the steps between two records of a device, those that are 1. */
const STEPS_OF_ONE_MIN = 0.5;

/** What counts the events of a device; undefined where nothing does. `deviceOf`: the device of each item. */
export function findIdentity(
  fields: readonly Field[],
  deviceOf: readonly string[],
): Finding<unknown> | undefined {
  const whole = fields.filter(({ values, share }) => share === 1 && values.every(isOrdinal));
  const counter = whole.find((field) => COUNTER.test(plainName(field)) && counts(field, deviceOf));
  if (counter === undefined) return undefined;
  const session = whole.find((field) => SESSION.test(plainName(field)));
  if (session !== undefined) {
    return {
      spec: { session: session.path, counter: counter.path },
      reason: `\`${session.path}\` and \`${counter.path}\` count the events: duplicates and gaps are told exactly`,
      uses: [session, counter],
    };
  }
  const highest = counter.values.reduce<number>((most, value) => Math.max(most, Number(value)), 0);
  const bits = [8, 16, 32, 48].find((each) => highest < 2 ** each) ?? 48;
  // A few samples do not show where a counter wraps: the shortest usual one would be wrong for most.
  const assumed = Math.max(bits, 16);
  return {
    spec: { wrapping: counter.path, bits: assumed },
    reason: `\`${counter.path}\` rises by one: session and counter are derived from it, wrapping at ${assumed} bits; edit \`bits\``,
    uses: [counter],
  };
}

function isOrdinal(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function counts({ values }: Field, deviceOf: readonly string[]): boolean {
  const last = new Map<string, number>();
  let steps = 0;
  let ofOne = 0;
  for (const [index, value] of values.entries()) {
    const device = deviceOf[index] ?? '';
    const before = last.get(device);
    last.set(device, Number(value));
    if (before === undefined) continue;
    steps += 1;
    if (Number(value) === before + 1) ofOne += 1;
  }
  return steps > 0 && ofOne / steps >= STEPS_OF_ONE_MIN;
}
