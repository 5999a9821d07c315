import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';

/** One process as the system sees it now. */
export interface ProcessReading {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: readonly string[];
  /** Processor time since its start, user and system, in seconds. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** Lists all processes that can be seen. */
export type ProcessLister = () => Promise<readonly ProcessReading[]>;

/** /proc/<pid>/stat counts in hundredths of a second on every Linux (USER_HZ, proc(5), read 2026-11). */
const TICKS_PER_SECOND = 100;
const PS_DEADLINE_MS = 5_000;

/** /proc where there is one, otherwise `ps`, whose processor times are whole seconds on some systems. */
export function processLister(): ProcessLister {
  return existsSync('/proc/self/stat') ? listFromProc : listFromPs;
}

async function listFromProc(): Promise<readonly ProcessReading[]> {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProc(Number(name)) ?? []);
}

/** Undefined for a process that has ended meanwhile. */
function readProc(pid: number): ProcessReading | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in parentheses and may hold spaces; what follows does not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
    return {
      pid,
      parentPid: Number(fields[1]),
      command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean),
      cpuSeconds: ticks / TICKS_PER_SECOND,
      residentBytes: Number(resident) * 1_024,
    };
  } catch {
    return undefined;
  }
}

async function listFromPs(): Promise<readonly ProcessReading[]> {
  const args = ['-A', '-o', 'pid=,ppid=,rss=,time=,args='];
  const { stdout } = await promisify(execFile)('ps', args, { timeout: PS_DEADLINE_MS, maxBuffer: 16 << 20 });
  return stdout.split('\n').flatMap((line) => parsePsLine(line) ?? []);
}

const PS_LINE = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s+(.*)$/;

/** A line of `ps -o pid=,ppid=,rss=,time=,args=`; undefined for any other. */
export function parsePsLine(line: string): ProcessReading | undefined {
  const match = PS_LINE.exec(line);
  if (match === null) return undefined;
  const [pid = 0, parentPid = 0, kilobytes = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1, 8)
    .map((field) => Number(field ?? 0));
  const cpuSeconds = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
  return {
    pid,
    parentPid,
    command: (match[8] ?? '').split(' '),
    cpuSeconds,
    residentBytes: kilobytes * 1_024,
  };
}

/** Those of `all` that descend from `rootPid`, and it. */
export function familyOf(all: readonly ProcessReading[], rootPid: number): readonly ProcessReading[] {
  const children = Map.groupBy(all, ({ parentPid }) => parentPid);
  const family = all.filter(({ pid }) => pid === rootPid);
  for (const member of family) family.push(...(children.get(member.pid) ?? []));
  return family;
}

/** What a process of the pipeline is called: the name it was given, or that of its entry file. */
export function processName(command: readonly string[]): string {
  const given = command.indexOf('--name');
  const name = given >= 0 ? command[given + 1] : undefined;
  if (name !== undefined) return name;
  if (command.some((argument) => argument.endsWith('.jar'))) return 'dynamodb';
  const entry = command.findLast((argument) => /\.[cm]?[jt]s$/.test(argument));
  if (entry === undefined) return basename(command[0] ?? 'unknown');
  const file = basename(entry).replace(/(-main)?\.[cm]?[jt]s$/, '');
  if (file === 'start') return 'supervisor';
  // src/main.ts is the entry of the workspace whose name is two folders above it.
  return file === 'main' ? basename(dirname(dirname(entry))) : file;
}

/** Totals of a name at one moment; its processes may have been several, one after the other. */
export interface ProcessSample {
  readonly atMs: number;
  readonly name: string;
  /** Since the first sample. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

export interface ProcessSampler {
  sample(): Promise<void>;
  /** In the order of time. */
  readonly samples: readonly ProcessSample[];
}

export interface ProcessSamplerOptions {
  readonly list: ProcessLister;
  readonly now: () => number;
  /** Process whose descendants count; the sampling one's own load is called `load-test`. */
  readonly rootPid: number;
}

/** Follows the processor time and memory of a process and all its descendants, by name. */
export function processSampler({ list, now, rootPid }: ProcessSamplerOptions): ProcessSampler {
  const lastSeconds = new Map<number, number>();
  const spent = new Map<string, number>();
  const samples: ProcessSample[] = [];
  let isFirst = true;
  return {
    samples,
    async sample() {
      const family = familyOf(await list(), rootPid);
      const atMs = now();
      const resident = new Map<string, number>([...spent.keys()].map((name) => [name, 0]));
      for (const { pid, command, cpuSeconds, residentBytes } of family) {
        const name = pid === rootPid ? 'load-test' : processName(command);
        // One that was not there at the first sample was started since.
        const before = lastSeconds.get(pid) ?? (isFirst ? cpuSeconds : 0);
        lastSeconds.set(pid, cpuSeconds);
        spent.set(name, (spent.get(name) ?? 0) + Math.max(0, cpuSeconds - before));
        resident.set(name, (resident.get(name) ?? 0) + residentBytes);
      }
      isFirst = false;
      for (const [name, residentBytes] of resident) {
        samples.push({ atMs, name, cpuSeconds: spent.get(name) ?? 0, residentBytes });
      }
    },
  };
}
