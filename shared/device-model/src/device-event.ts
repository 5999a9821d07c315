import type { DeviceId } from './device-id.ts';
import type { JsonObject } from './json.ts';

/** The schema version that this code writes. Older ones are brought up when they are read. */
export const EVENT_SCHEMA_VERSION = 1;

/** Types with a meaning for state. Any other type is stored and counted, and changes no state. */
export const EVENT_TYPES = ['reported', 'connected', 'disconnected', 'corrected'] as const;

/** What a device's counter said: the event's identity, and its place among the device's events. */
export interface CountedIdentity {
  /** Rises at each reboot or rejoin. A non-negative safe integer. */
  readonly session: number;
  /** Rises by one per event within a session. A non-negative safe integer. */
  readonly counter: number;
}

/** One thing that a device said, or that was said of it. */
export interface DeviceEvent {
  readonly v: typeof EVENT_SCHEMA_VERSION;
  readonly deviceId: DeviceId;
  readonly type: string;
  /** The device's own clock, ISO 8601 with offset. It may be wrong; nothing depends on it for order. */
  readonly time: string;
  /** Present in counted events. */
  readonly identity?: CountedIdentity;
  /** Attributes by name. A value replaces the old one whole; null removes it. */
  readonly data: JsonObject;
  /** Present in events of type `corrected`, and only there. */
  readonly correction?: Correction;
}

/** What makes an event a compensating one. */
export interface Correction {
  /** A resend with the same id stores nothing. */
  readonly correctionId: string;
  readonly reason: string;
  readonly actor: string;
  /** The event that is corrected; without it, the newest version among the attributes that are set. */
  readonly corrects?: CountedIdentity;
}

/** Limits of one event; what exceeds them is rejected with a named reason. */
export const EVENT_LIMITS = {
  /** The whole event in UTF-8. */
  bytesMax: 256 * 1024,
  attributesMax: 200,
  attributeNameCharactersMax: 128,
  typeCharactersMax: 128,
  correctionTextCharactersMax: 1_024,
  correctionIdCharactersMax: 128,
  /** Levels of arrays and objects below an attribute, or below a member that has no meaning here. DynamoDB holds 32 in an item (developer guide, "Quotas", 2026-11). */
  depthMax: 24,
} as const;
