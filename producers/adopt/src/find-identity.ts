import type { Finding } from './find-device.ts';
import { type Field, plainName } from './sample-fields.ts';

const COUNTER =
  /^(?:seq|seqno|seqnum|sequence|sequencenumber|counter|count|fcnt|msgno|msgid|messagenumber|framecounter|n)$/;
const SESSION = /^(?:session|sessionid|boot|bootcount|bootid|reboots|reboot|restart|restarts|bdseq)$/;
/** What names an event: a device id is found before. */
const KEY =
  /^(?:id|eventid|eventuuid|messageid|messageuuid|msgid|msgno|uuid|guid|recordid|readingid|idempotencykey|deduplicationid)$/;
const SOURCE = /^(?:source|sourceid|producer|producerid)$/;
/** Records that show that a member differs from each to each. */
const KEYED_MIN = 3;
/** Of the steps between two records of a device, those that are 1. */
const STEPS_OF_ONE_MIN = 0.5;

/** What counts the events of a device, or names each; undefined where nothing does. `deviceOf`: the device of each item. */
export function findIdentity(
  fields: readonly Field[],
  deviceOf: readonly string[],
): Finding<unknown> | undefined {
  const whole = fields.filter(({ values, share }) => share === 1 && values.every(isOrdinal));
  const counter = whole.find((field) => COUNTER.test(plainName(field)) && counts(field, deviceOf));
  if (counter === undefined) return findKey(fields);
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

/** A member that is another in each sample, with its source where there is one: CloudEvents are identified by both. */
function findKey(fields: readonly Field[]): Finding<unknown> | undefined {
  const key = fields.find((field) => KEY.test(plainName(field)) && isUnique(field));
  if (key === undefined) return undefined;
  const source = fields.find(({ values, share, ...field }) => {
    return share === 1 && SOURCE.test(plainName(field)) && values.every((value) => typeof value === 'string');
  });
  const names = source === undefined ? `\`${key.path}\`` : `\`${source.path}\` and \`${key.path}\``;
  return {
    spec: { key: source === undefined ? key.path : { concat: [source.path, { const: ' ' }, key.path] } },
    reason: `${names} differ from record to record: a copy is a duplicate while fewer than 64 events of the device were accepted since`,
    uses: [key],
  };
}

function isUnique({ values, share }: Field): boolean {
  const isText = values.every((value) =>
    typeof value === 'string' ? value !== '' : typeof value === 'number',
  );
  return (
    share === 1 && isText && values.length >= KEYED_MIN && new Set(values.map(String)).size === values.length
  );
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
