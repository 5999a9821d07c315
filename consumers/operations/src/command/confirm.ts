import type { HostContext } from './command-context.ts';
import { usageError } from './refusal.ts';

/** Asks before something is changed. Throws `INVALID_USAGE` when stdin is not a terminal and `--yes` is absent. */
export async function confirm({ host }: HostContext, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  const answer = await host.ask(`${question} [y/N] `);
  if (answer === undefined) throw usageError(`${question} stdin is not a terminal; pass --yes`);
  return /^y(es)?$/i.test(answer.trim());
}
