import { type DecodedEvent, decodeEvent, type Rejection, rejection } from '@twinstream/device-model';
import type { AssembledEvent } from './compile-event.ts';
import type { CompiledMapping } from './compiled-mapping.ts';
import { RECORD_LIMITS } from './limits.ts';
import { MappingFault } from './mapping-fault.ts';
import type { Undecodable } from './payload-format.ts';
import { isPayloadObject, type PayloadObject, type PayloadValue } from './payload-value.ts';
import { type Outcome, runGuarded } from './record-outcome.ts';
import type { Scope } from './scope.ts';

/** One record of a stream, or one entry of an aggregated record. */
export interface SourceRecord {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  /** Milliseconds since 1970. */
  readonly arrivalTime: number;
}

/** Name and version of a mapping, as events keep them in the member `mapping` of their text. */
export interface MappingVersion {
  readonly name: string;
  readonly version: number;
}

/** An event that a record became. */
export interface MappedEvent extends AssembledEvent {
  /** Its place in the record, from 0, among all items: events, rejected and ignored ones. 0 where a record is one event. */
  readonly item: number;
}

export interface MappingRejection extends Rejection {
  readonly item: number;
  /** Place in the mapping document that failed; empty where no mapping was applied. */
  readonly at: string;
}

/**
 * What a record became: events in the record's order, rejections by name, or neither, where a rule ignores it. A record
 * may become events and rejections; a record that exceeds a limit becomes one rejection and no event.
 */
export interface MappedRecord {
  readonly events: readonly MappedEvent[];
  readonly rejections: readonly MappingRejection[];
  readonly ignored: number;
  /** Events, rejected and ignored items. */
  readonly itemCount: number;
  /** Absent where the record is an event of this project's own format, or nothing matched. */
  readonly mapping?: MappingVersion & {
    readonly rule: string;
    /** Whether a record of the mapping may become several events, even where this one does not. */
    readonly isMany: boolean;
  };
}

/** Maps records. Pure: the same record, mappings and codecs give the same result, and nothing is kept between records. */
export interface PayloadMapper {
  readonly mappings: readonly MappingVersion[];
  /** Never throws. */
  map(record: SourceRecord): MappedRecord;
}

/** How an event of this project's own format begins when it was written by its own encoder. */
const OWN_START = Buffer.from('{"v":');

function startsAsOwn(data: Uint8Array): boolean {
  return data.length > OWN_START.length && OWN_START.every((byte, index) => data[index] === byte);
}

/** Whether a JSON payload has the members that tell this project's own format from others. */
function isOwnShape(payloads: readonly PayloadValue[] | Undecodable): boolean {
  if ('undecodable' in payloads) return false;
  const [payload] = payloads;
  return isPayloadObject(payload) && Object.hasOwn(payload, 'v') && Object.hasOwn(payload, 'deviceId');
}

export function openMapper(mappings: readonly CompiledMapping[]): PayloadMapper {
  const json = mappings.find(({ format }) => format === 'json');
  return {
    mappings: mappings.map(({ name, version }) => ({ name, version })),
    map: (record) => mapRecord(mappings, json, record),
  };
}

function mapRecord(
  mappings: readonly CompiledMapping[],
  json: CompiledMapping | undefined,
  record: SourceRecord,
): MappedRecord {
  const { data } = record;
  let own = mappings.length === 0 || startsAsOwn(data) ? decodeEvent(data) : undefined;
  const decodedBy = decodedOnce(data);
  if (own === undefined && json !== undefined && isOwnShape(decodedBy(json))) own = decodeEvent(data);
  if (own !== undefined && 'event' in own) return ownEvent(own);
  let undecodable: string | undefined;
  let wasDecoded = false;
  for (const mapping of mappings) {
    const payloads = decodedBy(mapping);
    if ('undecodable' in payloads) {
      undecodable ??= payloads.undecodable;
      continue;
    }
    wasDecoded = true;
    const mapped = applyMapping(mapping, payloads, record);
    if (mapped !== undefined) return mapped;
  }
  if (own !== undefined) return rejected(own);
  const last = json === undefined ? decodeEvent(data) : undefined;
  if (last !== undefined && 'event' in last) return ownEvent(last);
  if (data.length === 0) return rejected(rejection('empty', 'the record has no bytes'));
  return rejected(
    wasDecoded || undecodable === undefined
      ? rejection('no-mapping', 'no rule of the mappings in use matches the payload')
      : rejection('undecodable-payload', undecodable),
  );
}

/** Decodes a record once for all mappings that decode it in the same way: for the first of them without a map. */
function decodedOnce(data: Uint8Array): (mapping: CompiledMapping) => readonly PayloadValue[] | Undecodable {
  let first: { readonly as: string; readonly payloads: readonly PayloadValue[] | Undecodable } | undefined;
  let others: Map<string, readonly PayloadValue[] | Undecodable> | undefined;
  return (mapping) => {
    const as = mapping.decodedAs;
    if (first?.as === as) return first.payloads;
    const payloads = others?.get(as) ?? mapping.decode(data);
    if (first === undefined) first = { as, payloads };
    else {
      others ??= new Map();
      others.set(as, payloads);
    }
    return payloads;
  };
}

function ownEvent(own: DecodedEvent): MappedRecord {
  return {
    events: [{ item: 0, event: own.event, text: own.text }],
    rejections: [],
    ignored: 0,
    itemCount: 1,
  };
}

function rejected(reason: Rejection): MappedRecord {
  return { events: [], rejections: [{ item: 0, at: '', ...reason }], ignored: 0, itemCount: 1 };
}

const NOTHING_CARRIED: PayloadObject = {};

/** Undefined where no payload matches a rule of the mapping. */
function applyMapping(
  mapping: CompiledMapping,
  payloads: readonly PayloadValue[],
  { partitionKey, arrivalTime }: SourceRecord,
): MappedRecord | undefined {
  const { name, version, isMany } = mapping;
  const about: PayloadObject = { partitionKey, arrivalTime, format: mapping.format };
  const outcome: Outcome = { events: [], rejections: [], ignored: 0, characters: 0 };
  let index = 0;
  let work = 0;
  let rule: string | undefined;
  try {
    for (const envelope of payloads) {
      const scope: Scope = {
        payload: envelope,
        envelope,
        item: envelope,
        carried: NOTHING_CARRIED,
        record: about,
        key: undefined,
        index,
        work,
      };
      const matched = mapping.rules.find(({ matches }) => matches(scope));
      rule ??= matched?.name;
      if (matched !== undefined) runGuarded(matched.run, scope, outcome);
      else {
        const detail = 'no rule of the mappings in use matches the payload';
        outcome.rejections.push({ item: index, at: '', ...rejection('no-mapping', detail) });
        scope.index += 1;
      }
      ({ index, work } = scope);
      if (index > RECORD_LIMITS.itemsMax) {
        throw new MappingFault(
          'mapping-limit',
          '',
          `more than ${RECORD_LIMITS.itemsMax} items in one record`,
        );
      }
    }
  } catch (error) {
    if (!(error instanceof MappingFault)) throw error;
    const { reason, at, message } = error;
    const limit = { item: 0, at, ...rejection(reason, `${at}: ${message}`) };
    return {
      events: [],
      rejections: [limit],
      ignored: 0,
      itemCount: 1,
      mapping: { name, version, rule: rule ?? '', isMany },
    };
  }
  if (rule === undefined) return undefined;
  const { events, rejections, ignored } = outcome;
  return { events, rejections, ignored, itemCount: index, mapping: { name, version, rule, isMany } };
}
