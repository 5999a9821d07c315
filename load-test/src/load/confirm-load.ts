import { figureValue, planCapacity } from '@twinstream/capacity';
import { CodedError } from '@twinstream/runtime';
import type { FoundDeployment } from './find-deployment.ts';
import type { LoadOptions } from './load-options.ts';
import { SCENARIOS } from './scenarios.ts';
import { EVENT_BYTES } from './shards-for.ts';
import { warmUpRate } from './warm-up-rate.ts';

export interface LoadConfirmation {
  readonly found: Pick<FoundDeployment, 'access' | 'region'>;
  readonly options: LoadOptions;
  /** The answer to a question on the terminal; undefined where nobody can be asked. */
  readonly ask: (question: string) => Promise<string | undefined>;
}

/**
 * Asks before a system that is in use is written into. Throws `INVALID_USAGE` where nobody can be asked and `--yes` was not
 * said, and `NOT_CONFIRMED` where the answer is no.
 */
export async function confirmLoad({ found, options, ask }: LoadConfirmation): Promise<void> {
  if (options.isConfirmed) return;
  const question = `${plannedLoad(found, options)} Go on?`;
  const answer = await ask(`${question} [y/N] `);
  if (answer === undefined) {
    throw new CodedError('INVALID_USAGE', `${question} Nobody can be asked here: say --yes`);
  }
  if (!/^y(es)?$/i.test(answer.trim())) throw new CodedError('NOT_CONFIRMED', 'nothing was sent');
}

/** What is about to happen, where, and about what it costs. */
export function plannedLoad({ access, region }: LoadConfirmation['found'], options: LoadOptions): string {
  const { scenario, rate, durationMs, warmUpMs, deviceCount } = options;
  const { loadFactor = 1, purpose } = SCENARIOS[scenario];
  const eventCount = Math.round((rate * durationMs * loadFactor + warmUpRate(rate) * warmUpMs) / 1_000);
  const dollars = dollarsPerMillion(options);
  const price =
    dollars === undefined
      ? ''
      : `, at about ${money(dollars)} dollars a million (${money((dollars * eventCount) / 1_000_000)} in all)`;
  return (
    `This puts about ${eventCount.toLocaleString('en-US')} events of ${deviceCount.toLocaleString('en-US')} devices of its own ` +
    `into the stream ${access.stream} in ${region}${price}. What is stored stays. Meanwhile: ${purpose}.`
  );
}

/** What the plan gives for this load if it went on for months; undefined for one that no plan takes. */
function dollarsPerMillion({ rate, deviceCount, aggregate }: LoadOptions): number | undefined {
  try {
    const { twinstream } = planCapacity({
      deviceCount,
      eventsPerSecondPerDevice: rate / deviceCount,
      eventBytes: EVENT_BYTES,
      isAggregated: aggregate,
    });
    return figureValue(twinstream, 'dollarsPerMillionEvents');
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function money(dollars: number): string {
  return dollars.toLocaleString('en-US', { maximumSignificantDigits: 2 });
}
