import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  InternalServerError,
  ProvisionedThroughputExceededException,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { dynamoDbPages, dynamoDbRequest } from '../src/dynamodb/dynamodb-request.ts';

const metadata = (httpStatusCode: number) => ({ message: 'said so', $metadata: { httpStatusCode } });
const other = (name: string, fault: 'client' | 'server', status: number) =>
  new DynamoDBServiceException({ name, $fault: fault, ...metadata(status) });

const failing = (error: unknown) => dynamoDbRequest(undefined, () => Promise.reject(error));

describe('a request to DynamoDB', () => {
  it.each([
    ['DYNAMODB_THROTTLED', new ProvisionedThroughputExceededException(metadata(400))],
    ['DYNAMODB_THROTTLED', other('ThrottlingException', 'client', 400)],
    ['DYNAMODB_UNAVAILABLE', new InternalServerError(metadata(500))],
    ['DYNAMODB_UNAVAILABLE', other('ServiceUnavailable', 'server', 503)],
    ['DYNAMODB_UNAVAILABLE', other('UnknownError', 'client', 502)],
    ['DYNAMODB_UNAVAILABLE', Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })],
    ['DYNAMODB_UNAVAILABLE', Object.assign(new Error('no answer'), { name: 'TimeoutError' })],
  ])('is worth another try after %s', async (code, error) => {
    await expect(failing(error)).rejects.toMatchObject({ code, retryable: true, cause: error });
  });

  it.each([
    new ResourceNotFoundException(metadata(400)),
    other('ValidationException', 'client', 400),
    other('AccessDeniedException', 'client', 400),
  ])('is refused for good by %s', async (error) => {
    await expect(failing(error)).rejects.toMatchObject({
      code: 'DYNAMODB_REFUSED',
      retryable: false,
      cause: error,
    });
  });

  it('hands a failed condition on: it is an outcome', async () => {
    const error = new ConditionalCheckFailedException(metadata(400));
    await expect(failing(error)).rejects.toBe(error);
  });

  it('rejects with the reason of its signal, before it is sent and while it is under way', async () => {
    const controller = new AbortController();
    const reason = new Error('the deadline is near');
    const underWay = dynamoDbRequest(
      controller.signal,
      ({ abortSignal }) =>
        new Promise((_, reject) => {
          abortSignal?.addEventListener('abort', () => reject(new Error('the SDK says aborted')));
        }),
    );
    controller.abort(reason);
    await expect(underWay).rejects.toBe(reason);
    let isSent = false;
    const afterwards = dynamoDbRequest(controller.signal, async () => {
      isSent = true;
    });
    await expect(afterwards).rejects.toBe(reason);
    expect(isSent).toBe(false);
  });
});

describe('pages of a listing', () => {
  async function* pages(...answers: readonly (string | Error)[]) {
    for (const answer of answers) {
      if (answer instanceof Error) throw answer;
      yield answer;
    }
    return undefined;
  }

  it('come one by one, and fail as a request does', async () => {
    const error = other('ThrottlingException', 'client', 400);
    const seen: string[] = [];
    const read = async () => {
      for await (const page of dynamoDbPages(undefined, () => pages('one', 'two', error))) seen.push(page);
    };
    await expect(read()).rejects.toMatchObject({ code: 'DYNAMODB_THROTTLED', retryable: true, cause: error });
    expect(seen).toEqual(['one', 'two']);
  });

  it('end with the reason of their signal before the next one is asked for', async () => {
    const controller = new AbortController();
    const reason = new Error('the deadline is near');
    const read = async () => {
      for await (const _ of dynamoDbPages(controller.signal, () => pages('one', 'two')))
        controller.abort(reason);
    };
    await expect(read()).rejects.toBe(reason);
  });
});
