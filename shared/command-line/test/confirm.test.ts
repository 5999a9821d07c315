import { describe, expect, test } from 'vitest';
import { confirm } from '../src/confirm.ts';

const answered = (answer: string | undefined, isConfirmed = false) => {
  const questions: string[] = [];
  const ask = async (question: string) => {
    questions.push(question);
    return answer;
  };
  return { questions, result: confirm({ ask }, 'Delete it?', isConfirmed) };
};

describe('a confirmation', () => {
  test.each(['y', 'Y', 'yes', ' Yes\n'])('is given with %j', async (answer) => {
    const { questions, result } = answered(answer);
    await expect(result).resolves.toBeUndefined();
    expect(questions).toEqual(['Delete it? [y/N] ']);
  });

  test.each(['', 'n', 'yesterday'])('is not given with %j', async (answer) => {
    await expect(answered(answer).result).rejects.toMatchObject({ code: 'NOT_CONFIRMED' });
  });

  test('is asked of nobody with --yes, and needs it where stdin is not a terminal', async () => {
    const { questions, result } = answered(undefined, true);
    await expect(result).resolves.toBeUndefined();
    expect(questions).toEqual([]);
    await expect(answered(undefined).result).rejects.toMatchObject({
      code: 'INVALID_USAGE',
      message: 'Delete it? stdin is not a terminal; pass --yes',
    });
  });
});
