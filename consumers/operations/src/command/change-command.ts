import { userInfo } from 'node:os';
import { refusal, usageError, whole } from '@twinstream/command-line';
import type { Command } from 'commander';
import { type CommandContext, tell } from './command-context.ts';

/** Flags of a command that changes nothing without `--execute`. */
export interface ChangeFlags {
  readonly execute?: true;
  readonly reason?: string;
  readonly actor: string;
  readonly yes?: true;
}

/** Largest number of things that one run changes. */
export const CHANGED_MAX = 1_000_000;
const NAMES_SHOWN_MAX = 10;

export function addChangeOptions(command: Command): Command {
  return command
    .option('--execute', 'apply changes (the default is a dry run)')
    .option('--reason <text>', 'reason, recorded; required with --execute')
    .option('--actor <name>', 'name of the operator, recorded', userInfo().username)
    .option('--yes', 'do not ask for confirmation');
}

/** Empty where a dry run has none. Throws a usage error where changes would have none. */
export function reasonOf({ execute, reason = '' }: ChangeFlags): string {
  if (execute === true && reason === '') throw usageError('--execute needs --reason: why, which is recorded');
  return reason;
}

export function tellDryRun(context: CommandContext): void {
  tell(context, 'Dry run, nothing changed. To apply: add --execute --reason "…".');
}

/** Throws a refusal with this code that lists the unknown names: a typo must not pass for work that is done. */
export function refuseUnknown(
  names: readonly string[],
  known: ReadonlySet<string>,
  code: string,
  where: string,
): void {
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw refusal(code, `there is no ${unknown.slice(0, NAMES_SHOWN_MAX).join(', ')} ${where}`);
}

/** How many results have which outcome, in the order in which outcomes first occur. */
export function countOutcomes(results: readonly { readonly outcome: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

export function outcomesText(counts: Readonly<Record<string, number>>): string {
  const sums = Object.entries(counts).map(([outcome, count]) => `${whole(count)} ${outcome}`);
  return sums.join(', ') || 'nothing to do';
}
