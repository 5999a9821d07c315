import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';

/** One small change of the code. */
export interface Mutant {
  /** Of this instrumentation only: it shifts with the code. */
  readonly id: string;
  /** From the root. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Kind of change, as StrykerJS names it. */
  readonly mutator: string;
  readonly code: string;
  readonly becomes: string;
}

export interface InstrumentedCode {
  readonly mutants: readonly Mutant[];
  /** By absolute path: the code with all its mutants, each of which a switch turns on. */
  readonly sources: ReadonlyMap<string, string>;
}

/**
 * Mutators that are off. Texts of messages, of help and of logs are held by the tests of documents; those that cross a wire
 * (names of attributes, commands, codes) are held by contract tests, which run against real servers and not here.
 */
export const EXCLUDED_MUTATORS: readonly string[] = ['StringLiteral'];

const nothing = () => {};
const SILENT = {
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => false,
  isErrorEnabled: () => false,
  isFatalEnabled: () => false,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
};

/** All mutants of the files at these absolute paths, in one copy of their code. */
export async function instrument(root: string, paths: readonly string[]): Promise<InstrumentedCode> {
  const files = paths.map((name) => ({ name, mutate: true, content: readFileSync(name, 'utf8') }));
  const contents = new Map(files.map(({ name, content }) => [name, content.split('\n')]));
  const result = await new Instrumenter(SILENT).instrument(files, {
    plugins: null,
    excludedMutations: [...EXCLUDED_MUTATORS],
    ignorers: [],
  });
  return {
    sources: new Map(result.files.map(({ name, content }) => [name, content])),
    mutants: result.mutants
      .filter(({ status }) => status !== 'Ignored')
      .map(({ id, fileName, location: { start, end }, mutatorName, replacement }) => ({
        id,
        file: relative(root, fileName),
        line: start.line + 1,
        column: start.column + 1,
        mutator: mutatorName,
        code: textBetween(contents.get(fileName) ?? [], start, end),
        becomes: replacement,
      })),
  };
}

interface Place {
  readonly line: number;
  readonly column: number;
}

function textBetween(lines: readonly string[], start: Place, end: Place): string {
  const text = lines.slice(start.line, end.line + 1);
  const last = text.length - 1;
  return text
    .map((line, at) => line.slice(at === 0 ? start.column : 0, at === last ? end.column : undefined))
    .join('\n');
}
