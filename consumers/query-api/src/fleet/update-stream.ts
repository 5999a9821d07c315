import type { FleetFilter } from '@twinstream/api-contract';
import type { FieldSelection } from '../field-selection.ts';
import type { ResumePoint } from './resume-token.ts';

/** Which updates a client wants. */
export interface UpdateQuery {
  readonly filter: FleetFilter;
  readonly fields?: FieldSelection;
  /** What it has seen: whatever changed since comes first. */
  readonly since?: ResumePoint;
  /** Send all devices of the filter first. */
  readonly snapshot: boolean;
}

/** Where updates go. */
export interface UpdateSink {
  /** False when the client does not keep up; `resume` of the stream is to be called when it does again. */
  write(bytes: Uint8Array): boolean;
  close(): void;
}

export interface UpdateStream {
  /** The sink has room again. */
  resume(): void;
  /** The client has gone. */
  end(): void;
}
