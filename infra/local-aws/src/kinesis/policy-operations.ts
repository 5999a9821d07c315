import { ApiError, invalidArgument } from './api-error.ts';
import { RESOURCE_ARN, resourceOf, updateResource } from './arn-resource.ts';
import { EMPTY, membersAnswer, operation } from './operation.ts';
import { required, structure, text } from './request-shape.ts';

/** Policies are kept and returned. Nothing is refused by them: this server knows no callers. */
export const putResourcePolicy = operation(
  structure({ ResourceARN: required(RESOURCE_ARN, ''), Policy: required(text(), '') }),
  (service, { ResourceARN, Policy }) => {
    const resource = resourceOf(service, ResourceARN);
    if (!isJsonObject(Policy)) throw invalidArgument('The resource policy is not a JSON document.');
    updateResource(service, resource, { policy: Policy });
    return EMPTY;
  },
);

export const getResourcePolicy = operation(
  structure({ ResourceARN: required(RESOURCE_ARN, '') }),
  (service, { ResourceARN }) => {
    const { policy } = resourceOf(service, ResourceARN).labels;
    if (policy === undefined) throw noPolicy(ResourceARN);
    return membersAnswer({ Policy: policy });
  },
);

export const deleteResourcePolicy = operation(
  structure({ ResourceARN: required(RESOURCE_ARN, '') }),
  (service, { ResourceARN }) => {
    const resource = resourceOf(service, ResourceARN);
    if (resource.labels.policy === undefined) throw noPolicy(ResourceARN);
    updateResource(service, resource, { policy: undefined });
    return EMPTY;
  },
);

/** In the words of moto 5, made from answers of AWS (read 2026-12). */
function noPolicy(arn: string): ApiError {
  return new ApiError('ResourceNotFoundException', `No resource policy found for resource ARN ${arn}`);
}

function isJsonObject(policy: string): boolean {
  try {
    const document: unknown = JSON.parse(policy);
    return typeof document === 'object' && document !== null && !Array.isArray(document);
  } catch {
    return false;
  }
}
