import { readFile } from 'node:fs/promises';
import { callerPath, usageError } from '@twinstream/command-line';
import { z } from 'zod';

/** What a plan asks of the account. */
export interface PlannedLoad {
  readonly shards: number;
  /** Invocations that the stage reserves. */
  readonly reservedConcurrency: number;
  readonly writeUnitsPerSecond: number;
}

const PLAN = z.object({
  figures: z.array(z.object({ key: z.string(), twinstream: z.object({ value: z.number() }) })),
});

/** Reads what `plan --output json` wrote, relative to `folder`. A file that is not such a plan is invalid usage. */
export async function readPlannedLoad(file: string, folder: string): Promise<PlannedLoad> {
  const path = callerPath(file, folder);
  try {
    const { figures } = PLAN.parse(JSON.parse(await readFile(path, 'utf8')));
    const value = (key: string): number => {
      const found = figures.find((figure) => figure.key === key);
      if (found === undefined) throw new RangeError(`it has no figure ${key}`);
      return found.twinstream.value;
    };
    return {
      shards: value('shards'),
      reservedConcurrency: value('reservedConcurrency'),
      writeUnitsPerSecond: value('writeUnitsPerSecond'),
    };
  } catch (error) {
    const why =
      error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : '';
    throw usageError(`--plan ${path}: not what plan --output json writes: ${why}`);
  }
}
