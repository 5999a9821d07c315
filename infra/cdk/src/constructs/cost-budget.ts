import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { Construct } from 'constructs';
import type { StageConfiguration } from '../stages.ts';

/** Actual cost at this share of the budget, and a forecast above all of it, are told. */
const BUDGET_TOLD_PERCENT = 80;

/** Tells operators by mail of the cost of the account: a budget of a stack alone would need its tags activated for billing. */
export function addBudget(scope: Construct, { monthlyBudgetUsd, alarmEmail }: StageConfiguration): void {
  if (monthlyBudgetUsd === undefined || alarmEmail === undefined) return;
  const told = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
    notification: { notificationType, comparisonOperator: 'GREATER_THAN', threshold },
    subscribers: [{ subscriptionType: 'EMAIL', address: alarmEmail }],
  });
  new CfnBudget(scope, 'Budget', {
    budget: {
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      budgetLimit: { amount: monthlyBudgetUsd, unit: 'USD' },
    },
    notificationsWithSubscribers: [told('ACTUAL', BUDGET_TOLD_PERCENT), told('FORECASTED', 100)],
  });
}
