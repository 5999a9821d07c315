import { isJsonObject, type JsonObject, type JsonValue } from '@twinstream/device-model';
import { deviceAt, type Finding, findDevice } from './find-device.ts';
import { findIdentity } from './find-identity.ts';
import { findTime } from './find-time.ts';
import { type Field, fieldsOf, pathOf, plainName, SEPARATOR, segmentOf } from './sample-fields.ts';

/** A mapping document as it will be written, and why it says what it says. */
export interface Proposal {
  readonly document: JsonObject;
  readonly reasons: readonly string[];
}

export interface NoProposal {
  readonly problem: string;
}

const NAME_OF_PAIR =
  /^(?:name|key|metric|channel|attribute|parameter|tag|property|n|sensor|type|measurement)$/;
const VALUE_OF_PAIR = /^(?:value|val|v|reading)$/;
/** Digits that name something are no number. */
const NAME_OF_CODE = /(?:id|code|no|number|zip|phone|version|serial)$/;
const NUMERIC_TEXT = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** Items of the samples: the payloads, or the elements of an array that each of them is or has. */
interface Items {
  readonly items: readonly JsonObject[];
  readonly each?: string;
}

/**
 * Proposes a mapping of JSON payloads. The proposal is deterministic: the same samples lead to the same document.
 *
 * @param idPath path of the member that names the device, as the proposal would write it; found by its name where absent
 */
export function proposeMapping(
  name: string,
  payloads: readonly JsonValue[],
  idPath?: string,
): Proposal | NoProposal {
  const found = itemsOf(payloads);
  if ('problem' in found) return found;
  const { items, each } = found;
  const own = fieldsOf(items);
  const outer = each === undefined || each === '$payload' ? [] : outerFields(payloads, each);
  const find = (fields: readonly Field[]) =>
    idPath === undefined ? findDevice(fields) : deviceAt(idPath, fields);
  const device = find(own) ?? find(outer);
  if (device === undefined) {
    const paths = [...own, ...outer].map(({ path }) => path).join(', ');
    return {
      problem:
        idPath === undefined
          ? `no member looks like a device id: name it by --id; there are: ${paths}`
          : `--id ${idPath}: no record has this member; there are: ${paths}`,
    };
  }
  const time = findTime(without(own, device)) ?? findTime(without(outer, device));
  const deviceOf = (device.uses[0]?.values ?? []).map((value) => String(value));
  const identity = findIdentity(without(own, device, time), deviceOf);
  const rest = without(own, device, time, identity);
  const { spec: data, reasons } = dataOf(rest, [device, time, identity]);
  const event = {
    deviceId: device.spec,
    ...(time === undefined ? {} : { time: time.spec }),
    ...(identity === undefined ? {} : { identity: identity.spec }),
    data,
  };
  const rule = {
    name: 'records',
    ...(each === undefined ? {} : { each: { path: each === '$payload' ? each : pathOf([each]) } }),
    event,
  };
  const document = { language: 1, mapping: name, version: 1, format: 'json', rules: [rule] };
  return {
    document: document as unknown as JsonObject,
    reasons: [
      ...(each === undefined ? [] : [`each element of \`${each}\` becomes one event`]),
      device.reason,
      time?.reason ?? 'no member looks like a time: the arrival of the record counts',
      identity?.reason ?? 'nothing counts the events: their position in the stream is their identity',
      ...reasons,
    ],
  };
}

function itemsOf(payloads: readonly JsonValue[]): Items | NoProposal {
  if (payloads.length === 0) return { problem: 'there are no records' };
  if (payloads.every(isArrayOfObjects)) return { items: payloads.flat() as JsonObject[], each: '$payload' };
  if (!payloads.every(isJsonObject))
    return { problem: 'not every record is a JSON object, or an array of them' };
  const lists = Object.keys(payloads[0] ?? {}).filter((member) =>
    payloads.every((payload) => isArrayOfObjects(payload[member] ?? null)),
  );
  const [list] = lists;
  if (lists.length !== 1 || list === undefined) return { items: payloads };
  const items = payloads.flatMap((payload) => payload[list] as readonly JsonObject[]);
  return { items, each: list };
}

function isArrayOfObjects(value: JsonValue): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isJsonObject);
}

/** Members beside the array, once for each of its elements, under `$payload`. */
function outerFields(payloads: readonly JsonValue[], each: string): readonly Field[] {
  const repeated = payloads.flatMap((payload) => {
    if (!isJsonObject(payload)) return [];
    const { [each]: list, ...others } = payload;
    return Array.isArray(list) ? list.map(() => others) : [];
  });
  return fieldsOf(repeated).map((field) => ({
    ...field,
    path: `$payload${field.names.map(segmentOf).join('')}`,
  }));
}

function without(
  fields: readonly Field[],
  ...findings: readonly (Finding<unknown> | undefined)[]
): readonly Field[] {
  const used = new Set(findings.flatMap((finding) => finding?.uses ?? []).map(({ path }) => path));
  return fields.filter(({ path }) => !used.has(path));
}

function dataOf(
  rest: readonly Field[],
  findings: readonly (Finding<unknown> | undefined)[],
): { readonly spec: unknown; readonly reasons: readonly string[] } {
  const name = rest.find((field) => NAME_OF_PAIR.test(plainName(field)) && field.values.every(isText));
  const value = rest.find((field) => VALUE_OF_PAIR.test(plainName(field)));
  if (name !== undefined && value !== undefined && name.share === 1) {
    const reason = `\`${name.path}\` names an attribute and \`${value.path}\` is its value`;
    return { spec: { member: { name: name.path, value: value.path } }, reasons: [reason] };
  }
  const used = findings.flatMap((finding) => finding?.uses ?? []).filter(({ path }) => !path.startsWith('$'));
  const isNested = [...rest, ...used].some(({ names }) => names.length > 1);
  const drop = used.map(({ flatName }) => flatName);
  const all = {
    path: '$item',
    steps: [...(isNested ? [{ flatten: SEPARATOR }] : []), ...(drop.length === 0 ? [] : [{ drop }])],
  };
  const numeric = rest.filter((field) => isNumericText(field.values) && !NAME_OF_CODE.test(plainName(field)));
  const reasons = [
    `every other member is an attribute${isNested ? `, nested ones by names with "${SEPARATOR}"` : ''}`,
    ...numeric.map(({ path }) => `\`${path}\` is a text that holds a number: it becomes one`),
  ];
  if (numeric.length === 0) return { spec: all, reasons };
  const object = Object.fromEntries(
    numeric.map(({ flatName, path }) => [flatName, { path, steps: ['number'] }]),
  );
  return { spec: { merge: [all, { object }] }, reasons };
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isNumericText(values: readonly unknown[]): boolean {
  const there = values.filter((value) => value !== undefined && value !== null);
  return there.length > 0 && there.every((value) => typeof value === 'string' && NUMERIC_TEXT.test(value));
}
