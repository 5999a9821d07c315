import type { HostContext } from './command-context.ts';
import { usageError } from './refusal.ts';

/** Asks before something is changed. Throws `INVALID_USAGE` where nobody can be asked and `--yes` was not said. */
export async function confirm({ host }: HostContext, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  const answer = await host.ask(`${question} [y/N] `);
  if (answer === undefined) throw usageError(`${question} Standard input is not a terminal: pass --yes`);
  return /^y(es)?$/i.test(answer.trim());
}
