import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OUTPUT_CLOSED_EXIT_CODE, textOutput } from '@twinstream/runtime';
import { Command, Option } from 'commander';
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

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}

function table({ name, compares, seconds, figures }: BenchmarkResult): string {
  const rows = figures.map((figure) => [
    figure.name,
    figure.subject,
    round(figure.value),
    figure.unit,
    verdict(figure),
    figure.note ?? '',
  ]);
  const head = ['figure', 'subject', 'value', 'unit', 'bar', 'note'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 2 ? cell.padStart(widths[2] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [`${name} (${seconds} s): ${compares}`, line(head), ...rows.map(line), ''].join('\n');
}

async function main(): Promise<number> {
  const files = benchmarkFiles();
  const program = new Command('npm run bench --')
    .description('Runs the benchmarks, one after the other, and prints what they measured.')
    .argument('[names...]', `which of them: ${[...files.keys()].join(', ')} (default: all)`)
    .addOption(
      new Option('--output <form>', 'form of standard output').choices(['table', 'json']).default('table'),
    )
    .option('--save', 'keep the results as JSON under load-test/benchmarks/results/')
    .addHelpText(
      'after',
      '\nExit codes: 0 all bars met, 1 a bar missed or a benchmark failed, 2 wrong usage.',
    );
  program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2)).parse();
  const { output, save } = program.opts<{ output: 'table' | 'json'; save?: true }>();
  const names = program.args.length > 0 ? program.args : [...files.keys()];
  const unknown = names.filter((name) => !files.has(name));
  if (unknown.length > 0) {
    process.stderr.write(
      `no such benchmark: ${unknown.join(', ')}; there are: ${[...files.keys()].join(', ')}\n`,
    );
    return 2;
  }
  const where = conditions();
  const results: BenchmarkResult[] = [];
  if (output === 'table') {
    process.stdout.write(
      `${where.date}  ${where.cpu}, ${where.cores} cores, ${where.memoryGiB} GiB, Node ${where.node}\n\n`,
    );
  }
  for (const name of names) {
    process.stderr.write(`running ${name} …\n`);
    const { default: benchmark }: { default: Benchmark } = await import(files.get(name) ?? '');
    const start = performance.now();
    const figures = await benchmark.run();
    const seconds = Math.round((performance.now() - start) / 1_000);
    const result = { name: benchmark.name, compares: benchmark.compares, seconds, figures };
    results.push(result);
    if (output === 'table') process.stdout.write(`${table(result)}\n`);
  }
  const document = JSON.stringify({ ...where, results }, null, 2);
  if (output === 'json') process.stdout.write(`${document}\n`);
  if (save) {
    mkdirSync(RESULTS_DIR, { recursive: true });
    writeFileSync(join(RESULTS_DIR, `bench-${where.date.slice(0, 10)}.json`), `${document}\n`);
  }
  const missed = results
    .flatMap(({ figures }) => figures)
    .some((figure) => verdict(figure).startsWith('MISSED'));
  return missed ? 1 : 0;
}

textOutput(process.stdout).closed.addEventListener('abort', () => process.exit(OUTPUT_CLOSED_EXIT_CODE));
process.exitCode = await main();
