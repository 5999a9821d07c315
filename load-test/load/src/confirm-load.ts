import { figureValue, planCapacity } from '@twinstream/capacity';
import { type Ask, confirm, whole } from '@twinstream/command-line';
import type { FoundDeployment } from './attached-deployment.ts';
import type { LoadOptions } from './load-options.ts';
import { EVENT_BYTES, warmUpRate } from './load-options.ts';
import { SCENARIOS } from './scenarios.ts';

export interface LoadConfirmation {
  readonly found: Pick<FoundDeployment, 'access' | 'region'>;
  readonly options: LoadOptions;
  readonly ask: Ask;
}

/**
 * Asks for confirmation before events are written to a deployed pipeline. Throws `INVALID_USAGE` without a terminal and without
 * `--yes`, and `NOT_CONFIRMED` if the answer is no.
 */
export async function confirmLoad({ found, options, ask }: LoadConfirmation): Promise<void> {
  await confirm({ ask }, `${plannedLoad(found, options)} Continue?`, options.isConfirmed);
}

/** The planned load, its target and its approximate cost. */
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
    `This puts about ${whole(eventCount)} events of ${whole(deviceCount)} simulated devices ` +
    `into the stream ${access.stream} in ${region}${price}. The events stay in the tables. Scenario: ${purpose}.`
  );
}

/** Cost of this load according to the capacity plan; undefined if the plan does not support the load. */
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
