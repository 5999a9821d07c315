import { createInterface } from 'node:readline/promises';
import { refusal, usageError } from './refusal.ts';

/** Asks a person; undefined where standard input is not a terminal. */
export type Ask = (question: string) => Promise<string | undefined>;

/**
 * Asks before something is changed, unless `isConfirmed` (`--yes`). Throws `NOT_CONFIRMED` unless the answer is yes, and
 * `INVALID_USAGE` where stdin is not a terminal.
 */
export async function confirm(
  { ask }: { readonly ask: Ask },
  question: string,
  isConfirmed: boolean,
): Promise<void> {
  if (isConfirmed) return;
  const answer = await ask(`${question} [y/N] `);
  if (answer === undefined) throw usageError(`${question} stdin is not a terminal; pass --yes`);
  if (!/^y(es)?$/i.test(answer.trim())) throw refusal('NOT_CONFIRMED', 'nothing was changed');
}

/** Asks on the terminal of a process, through standard error, so that standard output holds data alone. */
export async function askOnTerminal(
  { stdin, stderr }: Pick<NodeJS.Process, 'stdin' | 'stderr'>,
  question: string,
): Promise<string | undefined> {
  if (!stdin.isTTY) return undefined;
  const terminal = createInterface({ input: stdin, output: stderr });
  try {
    return await terminal.question(question);
  } catch (error) {
    // Ctrl-C, or the end of the input, is no yes.
    if (error instanceof Error && error.name === 'AbortError') return '';
    throw error;
  } finally {
    terminal.close();
  }
}
