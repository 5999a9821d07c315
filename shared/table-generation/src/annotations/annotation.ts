import type { EventCounts } from '@twinstream/device-model';
import { z } from 'zod';

/*
 * What operators said of a device: that they know of a trouble, or that the device is retired. Each holds for what the device was
 * then, so that it ends by itself: nothing has to watch the stream and take it back.
 */

const time = z.number();
const said = {
  by: z.string(),
  /** Milliseconds since 1970. */
  time,
  /** Taken back by the same words. */
  withdrawn: z.literal(true).optional(),
  /** What the request was, so that its repetition changes nothing. */
  request: z.object({ key: z.string(), content: z.string() }).optional(),
};
const retirementSchema = z.object({
  ...said,
  reason: z.string(),
  /** Events of the device that were stored: with one more it is back. */
  events: z.number(),
});
const silentSchema = z.object({
  ...said,
  note: z.string(),
  /** When it was last heard, milliseconds since 1970: it holds until the device is heard again. */
  lastArrivalTime: z.number().nullable(),
});
const gapsSchema = z.object({
  ...said,
  note: z.string(),
  /** Counters that were missing once, those filled since included: it holds until there are more. */
  missed: z.number(),
});

/** The document of each annotation by its name. */
export const annotationSchemas = {
  retirement: retirementSchema,
  silent: silentSchema,
  gaps: gapsSchema,
} as const satisfies Record<string, z.ZodType>;
export type AnnotationName = keyof typeof annotationSchemas;
/** What devices have trouble by, which is acknowledged under its name. */
export type AnnotatedTrouble = Exclude<AnnotationName, 'retirement'>;

/** What operators said of one device last. */
export type DeviceAnnotations = {
  readonly [Name in AnnotationName]?: Readonly<z.infer<(typeof annotationSchemas)[Name]>>;
};
export type Annotation = NonNullable<DeviceAnnotations[AnnotationName]>;

/** Bits of a device: which annotations hold, and whether its gaps are too old to be trouble. */
export const NOTE = { retired: 1, silentAcknowledged: 2, gapsAcknowledged: 4, gapsAgedOut: 8 } as const;
export const ANNOTATION_BITS = NOTE.retired | NOTE.silentAcknowledged | NOTE.gapsAcknowledged;

/** What annotations are measured against. */
export interface AnnotatedDevice {
  /** Milliseconds since 1970. */
  readonly lastArrivalTime: number | undefined;
  readonly counts: Pick<EventCounts, 'events' | 'late' | 'gaps'>;
}

/**
 * Counters that were missing once: those that are, and those that came late. It rises with each new gap, and never falls while a
 * gap is filled. A late event that was not counted raises it, too: an acknowledgement rather ends too soon than hides a gap.
 */
export function missedCount({ late, gaps }: Pick<EventCounts, 'late' | 'gaps'>): number {
  return late + gaps;
}

/** The bits of those annotations that hold. */
export function annotationBits(annotations: DeviceAnnotations | undefined, device: AnnotatedDevice): number {
  if (annotations === undefined) return 0;
  const { retirement, silent, gaps } = annotations;
  const { lastArrivalTime, counts } = device;
  return (
    (holds(retirement) && counts.events <= retirement.events ? NOTE.retired : 0) |
    (holds(silent) && (lastArrivalTime ?? null) === silent.lastArrivalTime ? NOTE.silentAcknowledged : 0) |
    (holds(gaps) && missedCount(counts) <= gaps.missed ? NOTE.gapsAcknowledged : 0)
  );
}

/** What an annotation says besides what it holds for. */
export type Said = Pick<Annotation, 'by' | 'time' | 'withdrawn' | 'request'>;

/** That a device is retired as it is: its next event brings it back. */
export function retirement(
  { counts }: AnnotatedDevice,
  said: Said & { readonly reason: string },
): NonNullable<DeviceAnnotations['retirement']> {
  return { ...said, events: counts.events };
}

/** These annotations with the acknowledgement of a trouble as the device has it now. */
export function withAcknowledgement(
  annotations: DeviceAnnotations,
  trouble: AnnotatedTrouble,
  { lastArrivalTime, counts }: AnnotatedDevice,
  said: Said & { readonly note: string },
): DeviceAnnotations {
  return trouble === 'silent'
    ? { ...annotations, silent: { ...said, lastArrivalTime: lastArrivalTime ?? null } }
    : { ...annotations, gaps: { ...said, missed: missedCount(counts) } };
}

function holds<One extends Annotation>(annotation: One | undefined): annotation is One {
  return annotation !== undefined && annotation.withdrawn === undefined;
}

const BIT_OF_TROUBLE = { silent: NOTE.silentAcknowledged, gaps: NOTE.gapsAcknowledged } as const;

export function isAcknowledged(notes: number, trouble: AnnotatedTrouble): boolean {
  return (notes & BIT_OF_TROUBLE[trouble]) !== 0;
}
