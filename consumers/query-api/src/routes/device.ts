import { z } from 'zod';
import { deviceJson, deviceSchema } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';
import { deviceIdParameter, parameterTimeMs, timeParameter } from '../parameters.ts';
import { problemResponse } from '../problem.ts';

export const deviceEndpoint = endpoint(
  {
    method: 'get',
    path: '/v1/devices/{deviceId}',
    operationId: 'getDevice',
    summary: 'One device, now or as it was',
    scope: 'read',
    params: z.strictObject({ deviceId: deviceIdParameter }),
    query: z.strictObject({
      at: timeParameter.optional().meta({ description: 'The state as it was at this moment. Default: now.' }),
    }),
    answers: { 200: { description: 'The device.', schema: deviceSchema } },
    problems: ['DEVICE_NOT_FOUND', 'NO_STATE_AT_TIME'],
  },
  async ({ params: { deviceId }, query: { at }, signal }, services) => {
    if (at === undefined) {
      const state = await services.deviceStates.read(deviceId, { consistent: true, signal });
      if (state === undefined)
        return problemResponse('DEVICE_NOT_FOUND', { detail: `nothing is stored of ${deviceId}` });
      return jsonAnswer(deviceJson(state, services.liveness, services.clock.now()));
    }
    const timeMs = parameterTimeMs(at);
    const state = await services.stateAt({ deviceId, timeMs, basis: 'accepted', signal });
    if (state === undefined) {
      return problemResponse('NO_STATE_AT_TIME', { detail: `nothing was stored of ${deviceId} by ${at}` });
    }
    return jsonAnswer(deviceJson(state, services.liveness, timeMs));
  },
);
