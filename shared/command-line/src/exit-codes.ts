/** What the end of a command tells scripts: one table for every command, in docs/runbook.md. */
export const EXIT_CODES = {
  success: 0,
  /** The work was done, and not all is as it must be: differences, failed items, a bar missed, a guarantee violated. */
  failed: 1,
  /** The command line, the configuration or an input file is invalid; nothing was done. */
  usage: 2,
  /** Nothing was changed: a precondition does not hold, or the confirmation was declined. */
  refused: 3,
  /** A service did not answer or refused, or what it holds cannot be read. */
  unavailable: 4,
  /** A fault of this program, with its stack: EX_SOFTWARE of `sysexits.h`. */
  internalError: 70,
  /** Stopped by a signal: 128 + SIGINT, as shells expect. */
  interrupted: 130,
  /** The reader of the output has gone, and there was nothing else to do: 128 + SIGPIPE, as a shell reports it of `cat`. */
  outputClosed: 141,
} as const;
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

type Meaning = keyof typeof EXIT_CODES;

/** What most commands mean by a code. */
const USUAL_MEANINGS: Partial<Record<Meaning, string>> = {
  usage: 'invalid usage: the command line, the configuration or an input file',
  internalError: 'internal error',
};

/** The exit codes of a command for its help: those of `meanings`, and those that mean the same everywhere. */
export function exitCodeHelp(meanings: Partial<Record<Meaning, string>>): string {
  const all: Partial<Record<string, string>> = { ...USUAL_MEANINGS, ...meanings };
  const lines = Object.entries(EXIT_CODES).flatMap(([name, code]) =>
    all[name] === undefined ? [] : [`  ${String(code).padEnd(4)} ${all[name]}`],
  );
  return `Exit codes:\n${lines.join('\n')}\n`;
}
