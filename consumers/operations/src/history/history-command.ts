import {
  type Column,
  counted,
  EXIT_CODES,
  type ExitCode,
  isoText,
  type OutputFormat,
  outputOption,
  wholeNumber,
} from '@twinstream/command-line';
import {
  HISTORY_EVENTS_MAX,
  type HistoryCursor,
  type HistoryEvent,
  readHistory,
} from '@twinstream/event-store';
import type { Command } from 'commander';
import { pointInTimeMs, readDeviceId } from '../command/argument-values.ts';
import {
  addCommand,
  type CommandContext,
  type RunCommand,
  tell,
  write,
  writeTable,
} from '../command/command-context.ts';
import { refuseUnknown } from '../devices.ts';
import { eventLine } from './event-line.ts';
import { versionText } from './version-text.ts';

interface HistoryFlags {
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
  readonly reverse?: true;
  readonly output: OutputFormat;
}

const LIMIT_MAX = 1_000_000;
const DATA_CHARACTERS = 80;

export function addHistory(program: Command, run: RunCommand): void {
  addCommand(
    program,
    'history <device>',
    'Every stored event of one device, in the order in which it was accepted.',
    [
      'history bus-2619 --limit 20 --reverse',
      'history bus-2619 --from PT2H --output json    (one JSON object per line)',
    ],
  )
    .option(
      '--from <time>',
      'only events that arrived at or after this time: ISO 8601 with offset, or a duration ago (PT2H)',
    )
    .option('--to <time>', 'only events that arrived before this time')
    .option('--limit <events>', 'maximum number of events', wholeNumber(1, LIMIT_MAX), 100)
    .option('--reverse', 'newest first')
    .addOption(outputOption())
    .action((device: string, flags: HistoryFlags) => run((context) => history(context, device, flags)));
}

async function history(context: CommandContext, device: string, flags: HistoryFlags): Promise<ExitCode> {
  const { host, services } = context;
  const deviceId = readDeviceId(device);
  const now = services.clock.now();
  const stores = services.stores(await services.generation(host.stop));
  const range = {
    ...(flags.from === undefined ? {} : { from: pointInTimeMs(flags.from, now) }),
    ...(flags.to === undefined ? {} : { to: pointInTimeMs(flags.to, now) }),
    order: flags.reverse === true ? ('descending' as const) : ('ascending' as const),
  };
  const shown: HistoryEvent[] = [];
  let count = 0;
  let cursor: HistoryCursor | undefined;
  do {
    const limit = Math.min(HISTORY_EVENTS_MAX, flags.limit - count);
    const answer = await readHistory(stores.eventStore, {
      deviceId,
      ...range,
      limit,
      signal: host.stop,
      ...(cursor === undefined ? {} : { cursor }),
    });
    count += answer.events.length;
    cursor = answer.cursor;
    if (flags.output !== 'table') {
      for (const event of answer.events) write(context, eventLine(event));
      await host.stdout.ready();
    } else shown.push(...answer.events);
  } while (cursor !== undefined && count < flags.limit);
  if (count === 0) await refuseUnknown(stores, [deviceId], host.stop);
  if (flags.output === 'table') writeTable(context, HISTORY_COLUMNS, shown.map(historyRow));
  if (count === 0) tell(context, `${deviceId} has no stored event in that time`);
  else if (cursor !== undefined) tell(context, `${counted(count, 'event')}; there are more (--limit)`);
  return EXIT_CODES.success;
}

const HISTORY_COLUMNS: readonly Column[] = [
  ...['page', 'arrival', 'device time', 'type', 'version', 'mark'].map((title) => ({ title })),
  { title: 'data', charactersMax: DATA_CHARACTERS },
];

function historyRow(stored: HistoryEvent): readonly string[] {
  const { page, arrivalTime, event, version, late, repaired } = stored;
  return [
    String(page),
    isoText(arrivalTime),
    event.time,
    event.type,
    versionText(version),
    [...(late === undefined ? [] : ['late']), ...(repaired === true ? ['repaired'] : [])].join(' '),
    JSON.stringify(event.data),
  ];
}
