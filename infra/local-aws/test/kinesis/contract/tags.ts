import {
  AddTagsToStreamCommand,
  ListTagsForResourceCommand,
  ListTagsForStreamCommand,
  RemoveTagsFromStreamCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-kinesis';
import { expect } from 'vitest';
import { arnOf, registered } from './consumers.ts';
import { type Facts, refusal } from './subject.ts';

export const tagFacts: Facts = {
  'tags of a stream are added, replaced, listed page by page in order of their keys, and removed': async (
    stage,
  ) => {
    const StreamName = await stage.stream(1);
    await stage.client.send(new AddTagsToStreamCommand({ StreamName, Tags: { b: '2', a: '0' } }));
    await stage.client.send(new AddTagsToStreamCommand({ StreamName, Tags: { a: '1', c: '' } }));
    const list = (page: object) => stage.client.send(new ListTagsForStreamCommand({ StreamName, ...page }));
    const first = await list({ Limit: 2 });
    expect(first.Tags).toEqual([
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '2' },
    ]);
    expect(first.HasMoreTags).toBe(true);
    const second = await list({ ExclusiveStartTagKey: 'b' });
    expect(second.Tags).toEqual([{ Key: 'c', Value: '' }]);
    expect(second.HasMoreTags).toBe(false);
    await stage.client.send(new RemoveTagsFromStreamCommand({ StreamName, TagKeys: ['a', 'absent'] }));
    expect((await list({})).Tags?.map(({ Key }) => Key)).toEqual(['b', 'c']);
  },

  'tags of a stream and of a consumer are reached by ARN': async (stage) => {
    const StreamName = await stage.stream(1);
    const StreamARN = await arnOf(stage, StreamName);
    const consumer = await registered(stage, StreamARN, 'reader');
    for (const ResourceARN of [StreamARN, consumer]) {
      await stage.client.send(
        new TagResourceCommand({ ResourceARN, Tags: { team: ResourceARN.slice(-10) } }),
      );
      await stage.client.send(new TagResourceCommand({ ResourceARN, Tags: { stage: 'test' } }));
      await stage.client.send(new UntagResourceCommand({ ResourceARN, TagKeys: ['stage'] }));
      const { Tags } = await stage.client.send(new ListTagsForResourceCommand({ ResourceARN }));
      expect(Tags).toEqual([{ Key: 'team', Value: ResourceARN.slice(-10) }]);
    }
    const byName = await stage.client.send(new ListTagsForStreamCommand({ StreamName }));
    expect(byName.Tags).toEqual([{ Key: 'team', Value: StreamARN.slice(-10) }]);
  },

  'a 51st tag is refused, and so is a character that no tag may have': async (stage) => {
    const StreamName = await stage.stream(1);
    const tags = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, 'value']));
    await stage.client.send(new AddTagsToStreamCommand({ StreamName, Tags: tags(50) }));
    const more = stage.client.send(new AddTagsToStreamCommand({ StreamName, Tags: { one: 'more' } }));
    expect(await refusal(more)).toBe('InvalidArgumentException');
    const odd = stage.client.send(new AddTagsToStreamCommand({ StreamName, Tags: { 'key-0': 'a;b' } }));
    expect(await refusal(odd)).toBe('InvalidArgumentException');
  },
};
