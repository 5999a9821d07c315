import {
  type CompileOptions,
  compileMappings,
  type MappedRecord,
  type PayloadMapper,
  parseMappingText,
  type SourceRecord,
} from '@twinstream/payload-mapping';

export const ARRIVAL_TIME = Date.parse('2026-01-01T00:00:10.000Z');

export function record(data: Uint8Array, partitionKey = 'key'): SourceRecord {
  return { data, partitionKey, arrivalTime: ARRIVAL_TIME };
}

/** A mapper of one document. Throws with the faults of the document. */
export function mapperOf(text: string, options?: CompileOptions): PayloadMapper {
  const document = parseMappingText(text);
  if ('faults' in document) throw new Error(JSON.stringify(document.faults));
  const mapper = compileMappings([document], options);
  if ('faults' in mapper) throw new Error(JSON.stringify(mapper.faults));
  return mapper;
}

export function mapText(text: string, payload: unknown): MappedRecord {
  return mapperOf(text).map(record(Buffer.from(JSON.stringify(payload))));
}

export function eventsOf(text: string, data: Uint8Array): MappedRecord['events'] {
  return mapperOf(text).map(record(data)).events;
}

/** What `value` comes to for a payload, as an attribute of an event; its fault where there is none. */
export function mappedValue(value: string, payload: unknown): unknown {
  const text = `{language: 1, mapping: one, version: 1, rules: [{name: one, event: {deviceId: {const: d}, data: {object: {x: ${value}}}}}]}`;
  const { events, rejections } = mapText(text, payload);
  return events[0] === undefined ? rejections[0]?.detail : events[0].event.data.x;
}
