import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { collectedOutput, EXIT_CODES } from '@twinstream/command-line';
import { operationsCommand } from '@twinstream/operations';
import { systemClock } from '@twinstream/runtime';
import { codeSpans, type MarkdownDocument } from './markdown.ts';
import { ROOT, rootScripts } from './repository.ts';

const run = promisify(execFile);

/** The script that every command of `bin/` links to. It runs no command under its own name. */
const DISPATCHER = 'bin/run';

/** The public command, which is the script of that name as well. */
const PROGRAM = 'twinstream';

/** A command of this project as a document names it. */
export interface DocumentedCommand {
  readonly line: number;
  readonly text: string;
  /** Script of the root. */
  readonly script: string;
  /** Words after ` -- `, up to an ellipsis, which stands for any further ones. */
  readonly arguments: readonly string[];
}

/** `npm start`, `npm test`, `npm run …`, `bin/…` and `npx twinstream …` in shell blocks and between backticks. */
export function documentedCommands({ prose, shell }: MarkdownDocument): readonly DocumentedCommand[] {
  const lines = [
    ...shell,
    ...prose.flatMap(({ number, text }) => codeSpans(text).map((span) => ({ number, text: span }))),
  ];
  return lines.flatMap(({ number, text }) =>
    withoutRemark(text)
      .split(/&&|\||;/)
      .flatMap((part) => parseCommand(part.trim(), number)),
  );
}

/** Command lines that send through a pipe or into a file what `npm run` writes: its banner would be among the data. */
export function pipedScripts({ prose, shell }: MarkdownDocument): readonly string[] {
  const lines = [...shell.map(({ text }) => text), ...prose.flatMap(({ text }) => codeSpans(text))];
  return lines.filter((line) =>
    /\bnpm run (?!--silent |-s )[^|>&;]* \\?(?:\||>>?) /.test(withoutRemark(line)),
  );
}

/** In a shell a hash after white space begins a remark. */
function withoutRemark(text: string): string {
  return text.replace(/(^|\s)#.*$/, '');
}

function parseCommand(text: string, line: number): readonly DocumentedCommand[] {
  const words: readonly string[] = text.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  const [npm = '', first, second] = words;
  if (npm === DISPATCHER) return [];
  const own = /^bin\/([a-z-]+)$/.exec(npm)?.[1];
  if (own !== undefined) return [{ line, text, script: own, arguments: spelledOut(words.slice(1)) }];
  if (npm === 'npx' && first === PROGRAM) {
    return [{ line, text, script: PROGRAM, arguments: spelledOut(words.slice(2)) }];
  }
  if (npm !== 'npm') return [];
  const script = first === 'run' ? second : first === 'start' || first === 'test' ? first : undefined;
  if (script === undefined) return [];
  const separator = words.indexOf('--');
  return [{ line, text, script, arguments: separator < 0 ? [] : spelledOut(words.slice(separator + 1)) }];
}

function spelledOut(words: readonly string[]): readonly string[] {
  const ellipsis = words.indexOf('…');
  return ellipsis < 0 ? words : words.slice(0, ellipsis);
}

const helpTexts = new Map<string, Promise<string>>();

/** What a script prints for `--help`, below these subcommands; undefined where it is no program of this project. */
function helpOf(script: string, subcommands: readonly string[]): Promise<string> | undefined {
  // After the environment that the script sets.
  const [program, ...first] = rootScripts().get(script)?.split('exec ')[1]?.split(' ') ?? [];
  if (program !== 'node' && !program?.startsWith('bin/')) return undefined;
  const args = [...first, ...subcommands, '--help'];
  const file = program === 'node' ? process.execPath : program;
  const key = [file, ...args].join(' ');
  const ofOps = script === 'ops' ? subcommands : subcommands[0] === 'ops' ? subcommands.slice(1) : [];
  const isInProcess = ofOps.length > 0;
  const known =
    helpTexts.get(key) ??
    (isInProcess
      ? operationsHelp([...ofOps, '--help'])
      : run(file, args, { cwd: ROOT }).then(({ stdout }) => stdout));
  helpTexts.set(key, known);
  return known;
}

/** Help of one of the many subcommands of `ops`, without the half second that a process of its own takes to start. */
async function operationsHelp(argv: readonly string[]): Promise<string> {
  const [stdout, stderr] = [collectedOutput(), collectedOutput()];
  const host = {
    ...{ argv, folder: ROOT, environment: {}, stdout, stderr, clock: systemClock },
    ask: async () => undefined,
    stop: new AbortController().signal,
  };
  const enterTarget = () => {
    throw new Error('help needs no target');
  };
  if ((await operationsCommand(host, { enterTarget })) !== EXIT_CODES.success) throw new Error(stderr.text());
  return stdout.text();
}

/** What is wrong with a documented command, or undefined. */
export async function faultOf({ script, arguments: words }: DocumentedCommand): Promise<string | undefined> {
  if (!rootScripts().has(script)) return `there is no script ${script}`;
  const path: string[] = [];
  let help = await helpOf(script, path);
  if (help === undefined) return undefined;
  for (const word of words) {
    if (!listsCommands(help) || word.startsWith('-')) break;
    if (!new RegExp(`^ {2}${word}\\b`, 'm').test(help)) return `${script} has no command ${word}`;
    path.push(word);
    help = (await helpOf(script, path)) ?? '';
  }
  for (const word of words) {
    const flag = /^--[a-z][a-z-]*/.exec(word)?.[0];
    if (flag !== undefined && !new RegExp(`${flag}\\b(?!-)`).test(help))
      return `${script} has no flag ${flag}`;
  }
  const named = /^ {2}names\s+([\s\S]*?)\n\n/m.exec(help)?.[1];
  for (const word of words) {
    const isName = named !== undefined && /^[a-z-]+$/.test(word) && !word.startsWith('-');
    if (isName && !named.includes(word)) return `${script} has no ${word}`;
  }
  return undefined;
}

function listsCommands(help: string): boolean {
  return /^Commands:/m.test(help);
}
