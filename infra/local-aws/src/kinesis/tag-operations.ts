import { RESOURCE_ARN, resourceOf, updateResource } from './arn-resource.ts';
import { EMPTY, membersAnswer, operation } from './operation.ts';
import { integer, optional, required, structure, text } from './request-shape.ts';
import { addressedStream, STREAM_ADDRESS } from './stream-address.ts';
import { TAG_KEYS, TAGS, tagMembers, withoutTags, withTags } from './tags.ts';

/** API reference, ListTagsForStream, Limit (read 2026-12). */
const TAGS_PAGE_MAX = 50;

export const addTagsToStream = operation(
  structure({ ...STREAM_ADDRESS, Tags: required(TAGS, {}) }),
  (service, input) => {
    const stream = addressedStream(service, input);
    service.store.change(stream, { tags: withTags(stream.tags, input.Tags) });
    return EMPTY;
  },
);

export const removeTagsFromStream = operation(
  structure({ ...STREAM_ADDRESS, TagKeys: required(TAG_KEYS, []) }),
  (service, input) => {
    const stream = addressedStream(service, input);
    service.store.change(stream, { tags: withoutTags(stream.tags, input.TagKeys) });
    return EMPTY;
  },
);

export const listTagsForStream = operation(
  structure({
    ...STREAM_ADDRESS,
    ExclusiveStartTagKey: optional(text({ min: 1, max: 128 })),
    Limit: optional(integer({ min: 1, max: TAGS_PAGE_MAX })),
  }),
  (service, input) => {
    const after = input.ExclusiveStartTagKey ?? '';
    const rest = tagMembers(addressedStream(service, input).tags).filter(({ Key }) => String(Key) > after);
    const page = rest.slice(0, input.Limit ?? TAGS_PAGE_MAX);
    return membersAnswer({ Tags: page, HasMoreTags: page.length < rest.length });
  },
);

export const tagResource = operation(
  structure({ ResourceARN: required(RESOURCE_ARN, ''), Tags: required(TAGS, {}) }),
  (service, { ResourceARN, Tags }) => {
    const resource = resourceOf(service, ResourceARN);
    updateResource(service, resource, { tags: withTags(resource.labels.tags, Tags) });
    return EMPTY;
  },
);

export const untagResource = operation(
  structure({ ResourceARN: required(RESOURCE_ARN, ''), TagKeys: required(TAG_KEYS, []) }),
  (service, { ResourceARN, TagKeys }) => {
    const resource = resourceOf(service, ResourceARN);
    updateResource(service, resource, { tags: withoutTags(resource.labels.tags, TagKeys) });
    return EMPTY;
  },
);

export const listTagsForResource = operation(
  structure({ ResourceARN: required(RESOURCE_ARN, '') }),
  (service, { ResourceARN }) =>
    membersAnswer({ Tags: tagMembers(resourceOf(service, ResourceARN).labels.tags) }),
);
