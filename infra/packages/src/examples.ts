/** A runnable example of a README: its code, and what it writes to standard output. */
export interface Example {
  readonly code: string;
  readonly output: string;
}

const FENCED = /^```(\w+)\n([\s\S]*?)^```$/gm;

/** The examples of a README: each block of `ts`, with the block of `text` that follows it. Throws when one states no output. */
export function examplesOf(readme: string): readonly Example[] {
  const blocks = [...readme.matchAll(FENCED)].map(([, language = '', content = '']) => ({
    language,
    content,
  }));
  return blocks.flatMap(({ language, content }, index) => {
    if (language !== 'ts') return [];
    const next = blocks[index + 1];
    if (next?.language !== 'text') throw new Error(`an example states no output:\n${content}`);
    return [{ code: content, output: next.content }];
  });
}
