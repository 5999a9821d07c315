import type { TextOutput } from '@twinstream/command-line';

/**
 * Writes what is somebody's to read, and waits until it has gone so far: standard output must not fill the memory. Rejects
 * when nobody reads any more, so that it does not count as written.
 */
export async function writeToReader(output: TextOutput, text: string): Promise<void> {
  output.write(text);
  await output.flushed();
  output.closed.throwIfAborted();
}
