/** What a command's end says to scripts. Listed by `--help`. */
export const EXIT_CODES = {
  fine: 0,
  /** Differences were found, or single items failed. */
  differences: 1,
  wrongUsage: 2,
  /** Nothing was changed: a precondition does not hold. */
  refused: 3,
  /** A service gave no answer, or a transient one. */
  unavailable: 4,
  /** Stopped by a signal; a replay goes on with `--resume`. As shells expect: 128 + SIGINT. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
