import type { Tags } from './tags.ts';

export const CONSUMER_STATUSES = ['CREATING', 'ACTIVE', 'DELETING'] as const;

/** A reader of a stream by enhanced fan-out, as registered. */
export interface StreamConsumer {
  readonly name: string;
  /** With the name, its identity within the stream. */
  readonly createdMs: number;
  readonly status: (typeof CONSUMER_STATUSES)[number];
  readonly tags: Tags;
  /** Its resource policy, a JSON document. */
  readonly policy?: string | undefined;
}
