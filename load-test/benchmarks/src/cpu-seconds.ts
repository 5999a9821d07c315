import { readFileSync } from 'node:fs';

/** Processor seconds that a process of this machine has used, of Linux' 100 ticks a second (proc(5), utime and stime). */
export function cpuSeconds(pid: number | string | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
