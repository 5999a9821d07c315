import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CodedError } from '@twinstream/runtime';

/** DynamoDB Local 3.x needs it ("Deploying DynamoDB locally", developer guide, read 2026-11). */
export const JAVA_MAJOR_MIN = 17;

const HINT = 'dynalite, the default engine, needs no Java';

/**
 * Resolves when `java` is on the PATH and new enough. Throws `JAVA_MISSING` or `JAVA_TOO_OLD`, each with a message of
 * one line that says what to do.
 */
export async function requireJava(command = 'java'): Promise<void> {
  const major = javaMajor(await versionText(command));
  if (major !== undefined && major >= JAVA_MAJOR_MIN) return;
  const found = major === undefined ? 'a version that cannot be read' : `Java ${major}`;
  throw new CodedError(
    'JAVA_TOO_OLD',
    `DynamoDB Local needs Java ${JAVA_MAJOR_MIN} or newer, but the PATH has ${found}; ${HINT}`,
  );
}

async function versionText(command: string): Promise<string> {
  try {
    // `java -version` writes to standard error.
    const { stdout, stderr } = await promisify(execFile)(command, ['-version']);
    return stderr + stdout;
  } catch (error) {
    throw new CodedError(
      'JAVA_MISSING',
      `DynamoDB Local needs Java ${JAVA_MAJOR_MIN} or newer, but ${command} cannot be run; ${HINT}`,
      { cause: error },
    );
  }
}

/** Major version in what `java -version` prints: 17 of `"17.0.15"`, 8 of `"1.8.0_402"`; undefined when there is none. */
export function javaMajor(text: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(text);
  return match ? Number(match[1]) : undefined;
}
