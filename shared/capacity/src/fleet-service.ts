import { type CapacityFigure, figure, readable } from './figure.ts';
import { HOURS_A_MONTH, PRICE_SOURCE, PRICES, SECONDS_A_MONTH } from './prices.ts';

/**
 * Devices whose fleet one request of a Lambda reads before it answers: 29 s, and 148 µs a device (measured on 2026-11-30).
 */
export const LAMBDA_FLEET_DEVICES_MAX = 190_000;
/** Devices that one process of the long-lived API holds. */
export const SERVICE_FLEET_DEVICES_MAX = 4_000_000;
/** Tasks of the service: in two zones, so that one may end. */
export const SERVICE_TASKS = 2;
/** One vCPU: a process computes on one thread, and collects and compresses beside it. */
export const SERVICE_VCPUS = 1;

/** Of the process without devices. */
const MEMORY_BASE_MIB = 512;
/** Of a device: its row, the doubling of columns that grow, kept lists, and the view as it is saved (`npm run bench -- fleet-view`). */
const MEMORY_BYTES_PER_DEVICE = 1_200;
/** With one vCPU: 2 to 8 GB in steps of 1 GB ("Task CPU and memory", Amazon ECS developer guide, read 2026-12). */
const MEMORY_STEP_MIB = 1_024;
const MEMORY_MIN_MIB = 2_048;
/** Devices whose states one process reads a second, one by one; beyond it answers are older. */
const DEVICES_READ_PER_SECOND = 5_000;
const TASK_DISK_GIB = 1;

/** Memory of one task for a fleet, as Fargate has it. */
export function serviceMemoryMiB(deviceCount: number): number {
  const needed = MEMORY_BASE_MIB + (deviceCount * MEMORY_BYTES_PER_DEVICE) / 2 ** 20;
  return Math.max(MEMORY_MIN_MIB, Math.ceil(needed / MEMORY_STEP_MIB) * MEMORY_STEP_MIB);
}

/** What the long-lived API costs, which a design does not include: it is the same beside each. */
export function serviceFigures(deviceCount: number, eventsPerSecond: number): CapacityFigure[] {
  const { fargate, loadBalancer, publicIpHour, ebs, dynamoDb } = PRICES;
  const memoryMiB = serviceMemoryMiB(deviceCount);
  const taskHour = SERVICE_VCPUS * fargate.vCpuHour + (memoryMiB / 1_024) * fargate.gbHour + publicIpHour;
  const balancerHour = loadBalancer.hour + loadBalancer.capacityUnitHour;
  const tasks = SERVICE_TASKS * (taskHour * HOURS_A_MONTH + TASK_DISK_GIB * ebs.gbMonth);
  const reads = Math.min(eventsPerSecond, deviceCount, DEVICES_READ_PER_SECOND) * SERVICE_TASKS;
  return [
    figure(
      'serviceMemoryMiB',
      'memory of a task of the long-lived API',
      memoryMiB,
      'MiB',
      `${MEMORY_BASE_MIB} MiB + ${readable(deviceCount)} devices × ${MEMORY_BYTES_PER_DEVICE} bytes, in steps of ${MEMORY_STEP_MIB}`,
      'npm run bench -- fleet-view',
    ),
    figure(
      'serviceDollars',
      'the long-lived API: tasks and load balancer',
      tasks + balancerHour * HOURS_A_MONTH,
      'USD/month',
      `${SERVICE_TASKS} tasks of ${SERVICE_VCPUS} vCPU with an address and a disk + a load balancer with one capacity unit; not in the sums`,
      PRICE_SOURCE,
    ),
    figure(
      'serviceReadsDollars',
      'the long-lived API: reads of changed states',
      reads * SECONDS_A_MONTH * dynamoDb.readUnit,
      'USD/month',
      `a read unit for each event and task, up to ${readable(DEVICES_READ_PER_SECOND)} a second; less where a device sends several a second; not in the sums`,
      PRICE_SOURCE,
    ),
  ];
}
