import type { MappedEvent, PayloadMapper } from '@twinstream/payload-mapping';
import type { SampleLine } from './read-samples.ts';

/** What a mapping makes of the samples. */
export interface Outcome {
  readonly events: readonly MappedEvent[];
  readonly rejections: readonly { readonly line: number; readonly reason: string; readonly detail: string }[];
  readonly ignoredCount: number;
  readonly recordCount: number;
}

/** Maps every line as a record that arrives now. The samples have no partition key: it is empty. */
export function applyMapping(mapper: PayloadMapper, lines: readonly SampleLine[], nowMs: number): Outcome {
  const events: MappedEvent[] = [];
  const rejections: { line: number; reason: string; detail: string }[] = [];
  let ignoredCount = 0;
  for (const { number, data } of lines) {
    const mapped = mapper.map({ data, partitionKey: '', arrivalTime: nowMs });
    for (const event of mapped.events) events.push(event);
    for (const { rejected, detail } of mapped.rejections) {
      rejections.push({ line: number, reason: rejected, detail });
    }
    ignoredCount += mapped.ignored;
  }
  return { events, rejections, ignoredCount, recordCount: lines.length };
}

/** A device of the samples. */
export interface DeviceSummary {
  readonly deviceId: string;
  readonly eventCount: number;
  readonly lastTime: string;
  /** The value of each attribute as its last event set it, in the order of the events. */
  readonly attributes: ReadonlyMap<string, unknown>;
}

export function devicesOf({ events }: Outcome): readonly DeviceSummary[] {
  const devices = new Map<
    string,
    { eventCount: number; lastTime: string; attributes: Map<string, unknown> }
  >();
  for (const { event } of events) {
    const known = devices.get(event.deviceId) ?? { eventCount: 0, lastTime: '', attributes: new Map() };
    known.eventCount += 1;
    known.lastTime = event.time;
    for (const [name, value] of Object.entries(event.data)) known.attributes.set(name, value);
    devices.set(event.deviceId, known);
  }
  return [...devices].map(([deviceId, device]) => ({ deviceId, ...device }));
}
