import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@twinstream/runtime';
import { z } from 'zod';
import { CONTEXT, type StageName } from './stages.ts';

export const STAGES_FOLDER = fileURLToPath(new URL('../stages', import.meta.url));

/** Stages whose values come from their files alone: one that is forgotten on a command line would undo what it set. */
const COMMITTED: readonly string[] = ['prod'] satisfies StageName[];

/** A file is named after its stage, and does not say it again. */
const SETTINGS = CONTEXT.omit({ stage: true });
const NAMES = Object.keys(SETTINGS.shape);
const fileSchema = z.looseObject({});

/**
 * Reads values of a stage from its file, `<stage>.json`, and after them from the context. Throws `INVALID_CONFIGURATION` where the
 * file is missing or has other members, and where a value of a committed stage stands outside of its file.
 *
 * @param readContext value of a context variable, undefined where it is not set
 */
export function stageFile(
  readContext: (name: string) => unknown,
  folder = STAGES_FOLDER,
): (name: string) => unknown {
  const stage = String(readContext('stage') ?? 'dev');
  const path = join(folder, `${stage}.json`);
  if (!existsSync(path)) {
    throw invalid(`stage: ${stage} has no file ${path}; prod.example.json shows one. Commit it`);
  }
  const values = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const unknown = Object.keys(values).filter((name) => name !== '$schema' && !NAMES.includes(name));
  if (unknown.length > 0) throw invalid(`${path}: there is no ${unknown.join(', ')}`);
  const outside = NAMES.filter((name) => readContext(name) !== undefined);
  if (COMMITTED.includes(stage) && outside.length > 0) {
    throw invalid(`${outside.join(', ')}: put into ${path}; ${stage} takes nothing else`);
  }
  return (name) => (name === 'stage' ? stage : (readContext(name) ?? values[name]));
}

/** Describes the files of stages, for editors: `stages/stage.schema.json`. */
export function stageFileSchema(): unknown {
  const { properties, ...schema } = z.toJSONSchema(SETTINGS, { io: 'input', unrepresentable: 'any' });
  return {
    ...schema,
    properties: { $schema: { type: 'string' }, ...properties },
    additionalProperties: false,
  };
}

function invalid(fault: string): CodedError {
  return new CodedError('INVALID_CONFIGURATION', `context is invalid\n  ${fault}`);
}
