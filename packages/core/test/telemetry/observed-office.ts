import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';

import { createOffice, type JobSpec, type Office, type OfficeOptions, type SessionManager } from '../../src/index.ts';
import { observeOffice } from '../../src/telemetry/index.ts';
import { createScriptedSessions } from '../../testing/index.ts';

type Point = { readonly attributes: Record<string, unknown>; readonly value: number };

/** An office over scripted sessions, and what an SDK in memory was told of it. */
export interface ObservedOffice extends AsyncDisposable {
  readonly office: Office;
  readonly sessions: SessionManager;
  readonly stop: () => void;
  /** The spans that have ended, of one name. */
  spans(name: string): ReadableSpan[];
  /** The points of a metric; of a histogram, how many there were. */
  points(name: string): Promise<Point[]>;
  /** Everything that was told, as text. */
  told(): Promise<string>;
}

/** Sets it up. */
export function observedOffice(
  options: Partial<OfficeOptions> = {},
  shown: (office: Office) => Office = (office) => office,
): ObservedOffice {
  const sessions = options.sessions ?? createScriptedSessions();
  const office = createOffice({ ...options, sessions });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const spanExporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] });
  const stop = observeOffice(shown(office), { meterProvider, tracerProvider, clock: options.clock });
  const read = async () => {
    exporter.reset();
    await meterProvider.forceFlush();
    return exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  };
  return {
    office,
    sessions,
    stop,
    spans: (name) => spanExporter.getFinishedSpans().filter((span) => span.name === name),
    async points(name) {
      const points: readonly DataPoint<number | Histogram>[] = (await read())
        .filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }) => dataPoints as DataPoint<number | Histogram>[]);
      return points.map(({ attributes, value }) => ({
        attributes,
        value: typeof value === 'number' ? value : value.count,
      }));
    },
    async told() {
      const spans = spanExporter
        .getFinishedSpans()
        .map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
      return JSON.stringify({ metrics: await read(), spans });
    },
    async [Symbol.asyncDispose]() {
      stop();
      await office.close();
      await meterProvider.shutdown();
      await tracerProvider.shutdown();
    },
  };
}

/** A job for a scripted agent. */
export const job = (prompt: string, more: Partial<JobSpec> = {}): JobSpec => ({
  prompt,
  session: {
    agentId: 'FE-1',
    agent: { kind: 'command', command: ['scripted'] },
    workspace: { kind: 'path', path: '/work' },
  },
  ...more,
});
