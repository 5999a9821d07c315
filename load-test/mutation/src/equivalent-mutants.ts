import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Mutant } from './mutants.ts';

const entry = z.strictObject({
  file: z.string(),
  /** The code that is changed; whitespace counts as one space. */
  code: z.string(),
  /** What it is changed to: one or several. */
  becomes: z.union([z.string(), z.array(z.string())]),
  /** Only in lines that contain this text; for code that stands in a file more than once. */
  within: z.string().optional(),
  /** Why no test can or should tell the mutant from the code. */
  reason: z.string().min(1),
});

/** Mutants that behave as the code does, or whose difference is no promise, by the file and text of the code. */
export type EquivalentMutant = z.infer<typeof entry>;

const FOLDER = join(import.meta.dirname, '../equivalent');

export const equivalentMutantsFile = (workspace: string): string =>
  join(FOLDER, `${workspace.replaceAll('/', '-')}.json`);

export function readEquivalentMutants(workspace: string): readonly EquivalentMutant[] {
  const file = equivalentMutantsFile(workspace);
  return existsSync(file) ? z.array(entry).parse(JSON.parse(readFileSync(file, 'utf8'))) : [];
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** True when the entry means this mutant, which begins in this line of its file. */
export function isMeant(
  { file, code, becomes, within = '' }: EquivalentMutant,
  mutant: Mutant,
  line: string,
): boolean {
  return (
    file === mutant.file &&
    oneLine(code) === oneLine(mutant.code) &&
    [becomes].flat().some((text) => oneLine(text) === oneLine(mutant.becomes)) &&
    line.includes(within)
  );
}
