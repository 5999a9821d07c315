import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../build-package.ts';
import { runCommand } from '../run-command.ts';
import { type CheckOutcome, lastWords } from './check-outcome.ts';

const SOURCES = join(ROOT, 'infra/packages/foreign-clients');

/** Some 70 MiB and 130 files come from Maven Central the first time. */
const INSTALL_MS_MAX = 600_000;

/** Arguments of `java` for a class that {@link withJavaClient} has built. */
export const javaArguments = (mainClass: string, ...parameters: readonly string[]): readonly string[] => [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-cp',
  'classes:lib/*',
  mainClass,
  ...parameters,
];

/**
 * Builds `NAME/MAINCLASS.java` with the packages of `NAME/pom.xml` in a folder of its own, which `check` gets and which is removed
 * afterwards. Skipped, with the reason, where Java, Maven or a package cannot be had.
 */
export async function withJavaClient(
  name: string,
  mainClass: string,
  check: (folder: string) => Promise<CheckOutcome>,
): Promise<CheckOutcome> {
  const folder = await mkdtemp(join(tmpdir(), `twinstream-${name}-`));
  const source = join(SOURCES, name);
  try {
    try {
      await copyFile(join(source, 'pom.xml'), join(folder, 'pom.xml'));
      const copy = ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'];
      await runCommand('mvn', copy, { cwd: folder, msMax: INSTALL_MS_MAX });
      const file = join(source, `${mainClass}.java`);
      await runCommand('javac', ['-proc:none', '-cp', 'lib/*', '-d', 'classes', file], {
        cwd: folder,
        msMax: INSTALL_MS_MAX,
      });
    } catch (error) {
      const what = name.toUpperCase();
      return { kind: 'skipped', reason: `the ${what} cannot be had or built: ${lastWords(error)}` };
    }
    return await check(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
