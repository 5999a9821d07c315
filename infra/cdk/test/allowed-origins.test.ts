import { expect, test } from 'vitest';
import { pipelineTemplate, resources } from './templates.ts';

test('pages of allowed origins may read by the HTTP API, and none may where none is allowed', () => {
  const corsOf = (context: Record<string, string>) =>
    resources(pipelineTemplate(context), 'AWS::ApiGatewayV2::Api').map(
      ([, { Properties }]) => Properties.CorsConfiguration,
    );
  const allowedOrigins = 'https://grafana.example,https://wall.example:8443';
  expect(corsOf({ allowedOrigins })).toEqual([
    {
      AllowOrigins: allowedOrigins.split(','),
      AllowMethods: ['GET', 'HEAD'],
      AllowHeaders: expect.arrayContaining(['Authorization']),
      ExposeHeaders: expect.arrayContaining(['ETag']),
      MaxAge: 600,
    },
  ]);
  expect(corsOf({})).toEqual([undefined]);
  expect(() => corsOf({ allowedOrigins: 'https://grafana.example/' })).toThrow(
    /allowedOrigins: origins such as/,
  );
});
