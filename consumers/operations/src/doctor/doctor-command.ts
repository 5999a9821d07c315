import {
  EXIT_CODES,
  type ExitCode,
  isoText,
  type OutputFormat,
  outputOption,
} from '@twinstream/command-line';
import type { Command } from 'commander';
import {
  addCommand,
  type CommandContext,
  type RunCommand,
  write,
  writeDocument,
  writeTable,
} from '../command/command-context.ts';
import { alarmChecks, quotaChecks } from './account-checks.ts';
import { type Check, NOT_PERMITTED } from './check.ts';
import {
  bucketChecks,
  type DoctorSubject,
  describeStream,
  mappingChecks,
  streamChecks,
  tableChecks,
} from './pipeline-checks.ts';
import { readPlannedLoad } from './planned-load.ts';

interface DoctorFlags {
  readonly plan?: string;
  readonly output: OutputFormat;
}

/** Adds `doctor`, which only reads. */
export function addDoctor(program: Command, run: RunCommand): void {
  addCommand(
    program,
    'doctor',
    'List what a deployed pipeline lacks: alarms that reach nobody, unprotected tables, mappings, stream, bucket, quotas. Changes nothing.',
    [
      'doctor --target aws',
      'plan --devices 100000 --period 10s --bytes 170 --aggregate --output json > plan.json',
      'doctor --target aws --plan plan.json',
      'doctor --target aws --output json',
    ],
  )
    .option('--plan <file>', 'compare shards and quotas with this plan, as plan --output json writes it')
    .addOption(outputOption())
    .action((flags: DoctorFlags) => run((context) => doctor(context, flags)));
}

async function doctor(context: CommandContext, { plan, output }: DoctorFlags): Promise<ExitCode> {
  const { host, services } = context;
  const subject: DoctorSubject = {
    services,
    isAws: services.alarms !== undefined,
    load: plan === undefined ? undefined : await readPlannedLoad(plan, host.folder),
    signal: host.stop,
  };
  const checks = await diagnose(subject);
  const missing = checks.filter(({ status }) => status === 'missing');
  if (output !== 'table') {
    const document = { time: isoText(services.clock.now()), missing: missing.length, checks };
    writeDocument(context, output, document, checks);
  } else writeChecks(context, checks, missing);
  return exitCodeOf(checks);
}

/** Looks at everything, one service after the other, and keeps within their limits. */
async function diagnose(subject: DoctorSubject): Promise<readonly Check[]> {
  const stream = await describeStream(subject);
  return [
    ...(await streamChecks(subject, stream)),
    ...(await mappingChecks(subject, stream)),
    ...(await tableChecks(subject)),
    ...(await bucketChecks(subject)),
    ...(await alarmChecks(subject)),
    ...(await quotaChecks(subject, stream)),
  ];
}

/** Something missing is a fault; what the caller may not see is data that cannot be read. What a target does not have is neither. */
function exitCodeOf(checks: readonly Check[]): ExitCode {
  if (checks.some(({ status }) => status === 'missing')) return EXIT_CODES.failed;
  return checks.some(({ found }) => found.startsWith(NOT_PERMITTED))
    ? EXIT_CODES.unavailable
    : EXIT_CODES.success;
}

function writeChecks(context: CommandContext, checks: readonly Check[], missing: readonly Check[]): void {
  writeTable(
    context,
    [{ title: 'check' }, { title: 'status' }, { title: 'subject' }, { title: 'found' }],
    checks.map(({ check, status, subject, found }) => [check, status, subject, found]),
  );
  const notChecked = checks.filter(({ status }) => status === 'not-checked').length;
  write(context, `\n${checks.length} checks, ${missing.length} missing, ${notChecked} not checked`);
  for (const { check, subject, remedy } of missing) write(context, `${check}, ${subject}:\n  ${remedy}`);
}
