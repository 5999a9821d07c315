import { OUTPUT_CLOSED_EXIT_CODE } from '@twinstream/runtime';

/** What a command's end says to scripts. Listed by `--help`. */
export const EXIT_CODES = {
  fine: 0,
  /** Differences were found, or single items failed. */
  differences: 1,
  wrongUsage: 2,
  /** Nothing was changed: a precondition does not hold. */
  refused: 3,
  /** A service gave no answer or a refusal, or what it holds cannot be read. */
  unavailable: 4,
  /** A fault of this program, with its stack: as `sysexits.h` has it, EX_SOFTWARE. */
  fault: 70,
  /** Stopped by a signal; a replay goes on with `--resume`. As shells expect: 128 + SIGINT. */
  interrupted: 130,
  /** The reader of the output has closed it, and the command had nothing else to do. */
  outputClosed: OUTPUT_CLOSED_EXIT_CODE,
} as const;
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
