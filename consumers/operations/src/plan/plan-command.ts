import { planCapacity } from '@twinstream/capacity';
import { EXIT_CODES, type ExitCode } from '@twinstream/command-line';
import type { Command } from 'commander';
import { addCommand, type HostContext, type RunAlone, write, writeJson } from '../command/command-context.ts';
import { planDocument } from './plan-document.ts';
import { addPlanFlags, type PlanFlags, planRequest } from './plan-flags.ts';
import { chooseWindow, usageOf } from './plan-request.ts';
import { planText } from './plan-text.ts';

/** Adds `plan`, which needs no pipeline: it reckons. */
export function addPlan(program: Command, runAlone: RunAlone): void {
  const command = addCommand(
    program,
    'plan',
    'Shards, windows, concurrency, write units and dollars of a load, before there is one.',
    [
      'plan --devices 10000 --period 10s --bytes 170',
      'plan --devices 10000 --period 10s --bytes 170 --latency-budget 60s --aggregate',
      'plan --devices 4000 --period 40ms --bytes 170 --window 1s --output json',
    ],
  );
  addPlanFlags(command).action((flags: PlanFlags) => runAlone(async (context) => plan(context, flags)));
}

function plan(context: HostContext, flags: PlanFlags): ExitCode {
  const request = planRequest(flags);
  const planned = plannedFor(request);
  if (flags.output === 'json') writeJson(context, planDocument(planned, request.latencyBudgetSeconds));
  else write(context, planText(planned));
  return EXIT_CODES.success;
}

function plannedFor(request: ReturnType<typeof planRequest>) {
  try {
    return planCapacity(chooseWindow(request));
  } catch (error) {
    throw usageOf(error);
  }
}
