/** What leads to the same violation again. */
export interface Reproduction {
  /** The fault that was seeded. */
  readonly seededFault?: string | undefined;
  /** The other arguments. */
  readonly rest: readonly string[];
}

/** The command line that does it again, to be pasted into a shell. */
export function reproduceCommand({ seededFault, rest }: Reproduction): string {
  const args = [...(seededFault === undefined ? [] : ['--seeded-fault', seededFault]), ...rest];
  return ['npm run simulation --', ...args.map(shellWord)].join(' ');
}

/** A word as a POSIX shell reads it back, whatever it holds. */
function shellWord(text: string): string {
  return /^[\w,./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
