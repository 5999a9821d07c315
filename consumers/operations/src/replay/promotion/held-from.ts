import type { StreamFacts } from '../read-spec.ts';
import type { ReplayJob } from '../replay-job.ts';

/**
 * The arrival before which the fresh tables of a job hold nothing, or not all, milliseconds since 1970; 0 where they
 * hold everything that their source had. `--from earliest` of a stream that is older than its retention is such a window,
 * too: it begins where the stream began when the job was created.
 */
export function heldFromMs(
  { spec, createdTime }: Pick<ReplayJob, 'spec' | 'createdTime'>,
  stream: StreamFacts,
): number {
  const [first] = spec.parts;
  if (first === undefined || first.source === 'event-store') return 0;
  if (first.source === 'archive' || first.fromMs > 0) return first.fromMs;
  const oldestMs = createdTime - stream.retentionMs;
  return stream.createdTime > oldestMs ? 0 : oldestMs;
}
