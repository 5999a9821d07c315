import { seededRandom } from '@twinstream/test-kit';
import type { LabOptions } from './lab-options.ts';
import { RESHARD_STEPS } from './lab-stream.ts';

/** What the lab does next. */
export type LabStep =
  /** Puts the next record of a key, so many times. */
  | { readonly kind: 'put'; readonly key: string; readonly copies: number }
  | { readonly kind: 'reshard'; readonly index: number }
  | { readonly kind: 'kill' };

/** The puts of a run, with reshards and kills spread evenly among them. The same options give the same steps. */
export function* stepsOf(options: LabOptions): Generator<LabStep> {
  const { records, keys, kills, reshards, duplicates, seed } = options;
  const random = seededRandom(seed);
  const resharding = new Set(reshards ? evenly(records, RESHARD_STEPS.length, 0) : []);
  const killing = new Set(evenly(records, kills, 0.5));
  let reshard = 0;
  for (let put = 0; put < records; put += 1) {
    if (resharding.has(put)) {
      yield { kind: 'reshard', index: reshard };
      reshard += 1;
    }
    if (killing.has(put)) yield { kind: 'kill' };
    const key = `device-${random.integer(keys) + 1}`;
    yield { kind: 'put', key, copies: random.chance(duplicates) ? 2 : 1 };
  }
}

/** Places of `count` things among `total`, none at the ends; `shift`, a part of the distance between two, moves all. */
function evenly(total: number, count: number, shift: number): readonly number[] {
  const distance = total / (count + 1);
  return Array.from({ length: count }, (_, index) =>
    Math.min(total - 1, Math.floor(distance * (index + 1 - shift))),
  );
}
