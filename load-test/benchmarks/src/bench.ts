import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Column,
  commandHost,
  EXIT_CODES,
  type ExitCode,
  endWithReader,
  exitCodeHelp,
  figureText,
  internalFailure,
  type OutputFormat,
  outputOption,
  parseCommandLine,
  tableText,
} from '@twinstream/command-line';
import { Command } from 'commander';
import type { Benchmark, Figure } from './benchmark.ts';

const BENCHMARKS_DIR = fileURLToPath(new URL('./benchmarks', import.meta.url));
const RESULTS_DIR = fileURLToPath(new URL('../results', import.meta.url));

/** Where and when figures were measured. */
interface Conditions {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
}

interface BenchmarkResult {
  readonly name: string;
  readonly compares: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
}

function conditions(): Conditions {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}

function benchmarkFiles(): Map<string, string> {
  const files = readdirSync(BENCHMARKS_DIR).filter((name) => name.endsWith('.ts'));
  return new Map(files.sort().map((name) => [basename(name, '.ts'), join(BENCHMARKS_DIR, name)]));
}

/** `met`, `missed` or nothing where a figure has no bar. */
function verdict({ value, atLeast, atMost }: Figure): string {
  if (atLeast === undefined && atMost === undefined) return '';
  const met = value >= (atLeast ?? value) && value <= (atMost ?? value);
  const bar = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
  return `${met ? 'met' : 'MISSED'} (${bar})`;
}

function table({ name, compares, seconds, figures }: BenchmarkResult): string {
  const rows = figures.map((figure) => [
    figure.name,
    figure.subject,
    figureText(figure.value),
    figure.unit,
    verdict(figure),
    figure.note ?? '',
  ]);
  return `${name} (${seconds} s): ${compares}\n${tableText(COLUMNS, rows)}`;
}

const COLUMNS: readonly Column[] = [
  { title: 'figure' },
  { title: 'subject' },
  { title: 'value', align: 'right' },
  { title: 'unit' },
  { title: 'bar' },
  { title: 'note' },
];

const host = commandHost(process);

async function main(): Promise<ExitCode> {
  const files = benchmarkFiles();
  const program = new Command('npm run bench --')
    .description('Runs the benchmarks, one after the other, and prints what they measured.')
    .argument('[names...]', `which of them: ${[...files.keys()].join(', ')} (default: all)`)
    .addOption(outputOption())
    .option('--save', 'keep the results as JSON under load-test/benchmarks/results/')
    .addHelpText(
      'after',
      `
${exitCodeHelp({ success: 'all bars met', failed: 'a bar was missed', outputClosed: 'the reader of the output has closed it' })}`,
    );
  const ended = parseCommandLine(program, host);
  if (ended !== undefined) return ended;
  const { output, save } = program.opts<{ output: OutputFormat; save?: true }>();
  const names = program.args.length > 0 ? program.args : [...files.keys()];
  const unknown = names.filter((name) => !files.has(name));
  if (unknown.length > 0) {
    host.stderr.write(
      `no such benchmark: ${unknown.join(', ')}; there are: ${[...files.keys()].join(', ')}\n`,
    );
    return EXIT_CODES.usage;
  }
  const where = conditions();
  const results: BenchmarkResult[] = [];
  if (output === 'table') {
    host.stdout.write(
      `${where.date}  ${where.cpu}, ${where.cores} cores, ${where.memoryGiB} GiB, Node ${where.node}\n\n`,
    );
  }
  for (const name of names) {
    host.stderr.write(`running ${name} …\n`);
    const { default: benchmark }: { default: Benchmark } = await import(files.get(name) ?? '');
    const start = performance.now();
    const figures = await benchmark.run();
    const seconds = Math.round((performance.now() - start) / 1_000);
    const result = { name: benchmark.name, compares: benchmark.compares, seconds, figures };
    results.push(result);
    if (output === 'table') host.stdout.write(`${table(result)}\n`);
  }
  const document = JSON.stringify({ ...where, results }, null, 2);
  if (output === 'json') host.stdout.write(`${document}\n`);
  if (save) {
    mkdirSync(RESULTS_DIR, { recursive: true });
    writeFileSync(join(RESULTS_DIR, `bench-${where.date.slice(0, 10)}.json`), `${document}\n`);
  }
  const missed = results
    .flatMap(({ figures }) => figures)
    .some((figure) => verdict(figure).startsWith('MISSED'));
  return missed ? EXIT_CODES.failed : EXIT_CODES.success;
}

endWithReader(host, process);
process.exitCode = await main().catch((error: unknown) => internalFailure(error, host));
