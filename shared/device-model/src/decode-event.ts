import { faultOfData, faultOfWhole } from './attribute-data.ts';
import {
  type Correction,
  type CountedIdentity,
  type DeviceEvent,
  EVENT_LIMITS,
  EVENT_SCHEMA_VERSION,
} from './device-event.ts';
import { DEVICE_ID_RULE, isDeviceId } from './device-id.ts';
import { isEventTime } from './event-time.ts';
import { parseExactJson } from './exact-json.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { type Rejection, rejection } from './rejection.ts';
import { UPCASTERS, type Upcaster, upcast } from './upcast.ts';

/** An event with the text it came in, which is what the event store keeps. */
export interface DecodedEvent {
  readonly event: DeviceEvent;
  /** The event's own JSON, without surrounding white space. */
  readonly text: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes of one record or of one entry of an aggregated record, to an event or the reason why they are none. Older schema versions are brought up. Never throws. */
export function decodeEvent(
  bytes: Uint8Array,
  upcasters: ReadonlyMap<number, Upcaster> = UPCASTERS,
): DecodedEvent | Rejection {
  if (bytes.length === 0) return rejection('empty', 'the record has no bytes');
  if (bytes.length > EVENT_LIMITS.bytesMax) {
    return rejection('too-large', `${bytes.length} bytes; the limit is ${EVENT_LIMITS.bytesMax}`);
  }
  let text: string;
  try {
    text = utf8.decode(bytes).trim();
  } catch {
    return rejection('invalid-utf8', 'the bytes are not UTF-8');
  }
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch {
    return rejection('not-json', 'the text is not JSON');
  }
  return decodeParsed(value, text, upcasters);
}

/** What {@link parseExactJson} made of a text of at most 256 KiB, to an event or the reason why it is none. Never throws. */
export function decodeParsed(
  value: unknown,
  text: string,
  upcasters: ReadonlyMap<number, Upcaster> = UPCASTERS,
): DecodedEvent | Rejection {
  if (!isJsonObject(value)) return rejection('not-object', 'the JSON is not an object');
  const event = readEvent(upcast(value, upcasters) ?? value);
  if ('rejected' in event) return event;
  return faultOfWhole(value, text) ?? { event, text };
}

/** Checks the members of a parsed event and brings them into their types. */
export function readEvent(value: JsonObject): DeviceEvent | Rejection {
  const { v, deviceId, type, time } = value;
  if (v !== EVENT_SCHEMA_VERSION)
    return rejection('unsupported-version', `v must be ${EVENT_SCHEMA_VERSION}`);
  if (deviceId === undefined) return rejection('missing-device-id', 'deviceId is missing');
  if (!isDeviceId(deviceId)) {
    return rejection('invalid-device-id', `deviceId must be ${DEVICE_ID_RULE}`);
  }
  if (
    typeof type !== 'string' ||
    type === '' ||
    type.length > EVENT_LIMITS.typeCharactersMax ||
    !type.isWellFormed()
  ) {
    return rejection('invalid-type', `type must be 1-${EVENT_LIMITS.typeCharactersMax} characters`);
  }
  if (!isEventTime(time)) return rejection('invalid-time', 'time must be ISO 8601 with an offset');
  const identity = readIdentity(value);
  if (identity !== undefined && 'rejected' in identity) return identity;
  const data = value.data ?? (type === 'connected' || type === 'disconnected' ? {} : undefined);
  if (!isJsonObject(data)) return rejection('invalid-data', 'data must be an object');
  const fault = faultOfData(data);
  if (fault !== undefined) return fault;
  const base = { v: EVENT_SCHEMA_VERSION, deviceId, type, time, data } as const;
  if (type === 'corrected') {
    const correction = readCorrection(value);
    return 'rejected' in correction ? correction : { ...base, correction };
  }
  return identity === undefined ? base : { ...base, identity };
}

function isOrdinal(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readIdentity(value: JsonObject): CountedIdentity | Rejection | undefined {
  const { session, counter } = value;
  if (session === undefined && counter === undefined) return undefined;
  if (!isOrdinal(session) || !isOrdinal(counter)) {
    return rejection('invalid-counter', 'session and counter come together, as whole numbers from 0');
  }
  return { session, counter };
}

function isText(value: unknown, charactersMax: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= charactersMax && value.isWellFormed();
}

function readCorrection(value: JsonObject): Correction | Rejection {
  const { correctionId, reason, actor, corrects } = value;
  if (!isText(correctionId, EVENT_LIMITS.correctionIdCharactersMax)) {
    return rejection('invalid-correction', 'a correction needs a correctionId of 1-128 characters');
  }
  if (
    !isText(reason, EVENT_LIMITS.correctionTextCharactersMax) ||
    !isText(actor, EVENT_LIMITS.correctionTextCharactersMax)
  ) {
    return rejection('invalid-correction', 'a correction needs a reason and an actor of 1-1024 characters');
  }
  if (corrects === undefined) return { correctionId, reason, actor };
  if (!isJsonObject(corrects)) return rejection('invalid-correction', 'corrects must be {session, counter}');
  const target = readIdentity(corrects);
  if (target === undefined || 'rejected' in target) {
    return rejection('invalid-correction', 'corrects must be {session, counter}, whole numbers from 0');
  }
  return { correctionId, reason, actor, corrects: target };
}
