import type { CommandContext } from './command-context.ts';
import { usageError } from './refusal.ts';

/** Asks before something is changed. Throws `INVALID_USAGE` where nobody can be asked and `--yes` was not said. */
export async function confirm({ host }: CommandContext, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  const answer = await host.ask(`${question} [y/N] `);
  if (answer === undefined) throw usageError(`${question} Nobody can be asked here: say --yes`);
  return /^y(es)?$/i.test(answer.trim());
}
