/** What leads to the same violation again. */
export interface Again {
  /** The bug that was planted. */
  readonly plant?: string | undefined;
  /** The other arguments. */
  readonly rest: readonly string[];
}

/** The command line that does it again, to be pasted into a shell. */
export function againCommand({ plant, rest }: Again): string {
  const args = [...(plant === undefined ? [] : ['--plant', plant]), ...rest];
  return ['npm run simulation --', ...args.map(shellWord)].join(' ');
}

/** A word as a POSIX shell reads it back, whatever it holds. */
function shellWord(text: string): string {
  return /^[\w,./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
