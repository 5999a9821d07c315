import { counted } from '@twinstream/command-line';
import { type Field, plainName } from './sample-fields.ts';

/** A part of a proposal: what stands in the mapping, and why. */
export interface Finding<Spec> {
  readonly spec: Spec;
  readonly reason: string;
  /** Fields that it uses up, so that they are no attributes. */
  readonly uses: readonly Field[];
}

/** Names that devices are called by, best first. */
const NAMES: readonly RegExp[] = [
  /^(?:device|dev|thing|sensor|vehicle|node|unit|asset|meter|machine|tracker|station|bike|bus|car)(?:id|name|eui|serial|number|no|uid|uuid)$/,
  /^(?:eui|deveui|imei|serial|serialnumber|mac|macaddress|clientid|imsi)$/,
  /^(?:device|thing|sensor|vehicle|node|unit|asset|meter|machine|tracker|station|bike|bus|car)$/,
  /^(?:id|name|source|host|hostname|key)$/,
];
const TOPIC = /^(?:topic|mqtttopic|subject|routingkey)$/;
const SHARE_MIN = 0.9;
/** Names of messages, not of devices: every record has another. */
const RECORDS_TO_TELL = 4;

/** Where the device's id is; undefined where nothing looks like one. */
export function findDevice(fields: readonly Field[]): Finding<unknown> | undefined {
  const named = fields.filter((field) => field.share >= SHARE_MIN && field.values.every(isIdOrNone));
  for (const pattern of NAMES) {
    const field = named.filter((each) => pattern.test(plainName(each))).find(repeats) ?? undefined;
    if (field !== undefined) return ofField(field);
  }
  const topic = fields.find((field) => field.share >= SHARE_MIN && TOPIC.test(plainName(field)));
  const fromTopic = topic && ofTopic(topic);
  if (fromTopic !== undefined) return fromTopic;
  const alone = named.find((each) => NAMES.some((pattern) => pattern.test(plainName(each))));
  return alone && ofField(alone);
}

/** The device's id where somebody says that it is; undefined where no record has such a member. */
export function deviceAt(path: string, fields: readonly Field[]): Finding<unknown> | undefined {
  const field = fields.find((each) => each.path === path);
  return field && ofField(field);
}

function isIdOrNone(value: unknown): boolean {
  return (
    value === undefined ||
    (typeof value === 'string' && value !== '') ||
    (typeof value === 'number' && Number.isSafeInteger(value))
  );
}

function distinctCount({ values }: Field): number {
  return new Set(values.filter((value) => value !== undefined).map(String)).size;
}

function repeats(field: Field): boolean {
  return field.values.length < RECORDS_TO_TELL || distinctCount(field) < field.values.length;
}

function ofField(field: Field): Finding<unknown> {
  const count = distinctCount(field);
  const records = counted(field.values.length, 'record');
  const reason = `\`${field.path}\` names the device: ${count} of them in ${records}`;
  return { spec: field.path, reason, uses: [field] };
}

/** The part of a topic that tells devices apart: the one of most values that still repeats. */
function ofTopic(field: Field): Finding<unknown> | undefined {
  const topics = field.values.map((value) => (typeof value === 'string' ? value.split('/') : []));
  const lengths = new Set(topics.map(({ length }) => length));
  const [length = 0] = lengths;
  if (lengths.size !== 1 || length < 2) return undefined;
  const counts = Array.from({ length }, (_, index) => new Set(topics.map((parts) => parts[index])).size);
  const most = Math.max(...counts);
  // One device alone: what stands before the last part mostly names it.
  const index = most === 1 ? length - 2 : counts.indexOf(most);
  return {
    spec: { path: field.path, steps: [{ split: { by: '/', index } }] },
    reason: `part ${index + 1} of \`${field.path}\` names the device: ${counts[index]} of them in ${counted(topics.length, 'record')}`,
    uses: [field],
  };
}
