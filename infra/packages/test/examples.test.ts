import { expect, test } from 'vitest';
import { examplesOf } from '../src/examples.ts';

const block = (language: string, content: string) => `\`\`\`${language}\n${content}\n\`\`\`\n`;

test('an example is a block of ts with the block of text that follows it', () => {
  const readme = [
    block('sh', 'npm install'),
    block('ts', 'one()'),
    'It writes:\n',
    block('text', '1'),
    block('ts', 'two()'),
    block('text', '2'),
  ].join('\n');
  expect(examplesOf(readme)).toEqual([
    { code: 'one()\n', output: '1\n' },
    { code: 'two()\n', output: '2\n' },
  ]);
});

test('an example that states no output is refused', () => {
  expect(() => examplesOf(block('ts', 'one()') + block('sh', 'ls') + block('text', '1'))).toThrow('one()');
  expect(() => examplesOf(block('ts', 'one()'))).toThrow('states no output');
});
