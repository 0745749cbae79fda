import { metrics, trace, type MeterProvider, type TracerProvider } from '@opentelemetry/api';

import { systemClock, type Clock } from '../clock.ts';
import type { Office } from '../office-port.ts';
import type { Unsubscribe } from '../session/session-manager.ts';
import { SCOPE } from './attributes.ts';
import { CrewBook } from './crew-book.ts';
import { JobMetrics } from './job-metrics.ts';
import { JobSpans } from './job-spans.ts';
import { gaugeOffice } from './office-gauges.ts';

/** Where {@link observeOffice} tells what it sees. */
export interface ObserveOptions {
  /** Default: the global one of the OpenTelemetry API. */
  readonly meterProvider?: MeterProvider | undefined;
  /** Default: the global one of the OpenTelemetry API. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** The office's own. Default: the machine's own time. */
  readonly clock?: Clock | undefined;
}

/**
 * Tells OpenTelemetry what an office does: metrics of jobs, attempts, turns, sessions, pool, breakers and requests, and a
 * span for every job with its attempts and turns. No prompt, answer, path or error message is told. Without an SDK that
 * the program has set up, it costs next to nothing and tells nobody.
 *
 * Gives a function that ends it; what is open by then is ended as it is.
 *
 * @example
 * ```ts
 * const stop = observeOffice(office);
 * // …
 * await office.close();
 * stop();
 * ```
 */
export function observeOffice(office: Office, options: ObserveOptions = {}): Unsubscribe {
  const { meterProvider = metrics.getMeterProvider(), tracerProvider = trace.getTracerProvider() } = options;
  const { clock = systemClock } = options;
  const meter = meterProvider.getMeter(SCOPE);
  const book = new CrewBook();
  const counts = new JobMetrics(meter, { clock, book });
  const spans = new JobSpans(tracerProvider.getTracer(SCOPE), clock);
  const stops = [
    ...followJobs(office, { book, counts, spans }),
    office.on('breaker', (event) => counts.breaker(event)),
    office.sessions.on('turn', (event) => {
      spans.turn(event);
      counts.turn(event);
    }),
    office.sessions.on('request', (event) => counts.request(event)),
    office.sessions.on('request_settled', (event) => counts.requestSettled(event)),
    gaugeOffice(meter, office),
    () => spans.close(),
  ];
  return () => {
    for (const stop of stops.splice(0)) stop();
  };
}

function followJobs(
  office: Office,
  { book, counts, spans }: { readonly book: CrewBook; readonly counts: JobMetrics; readonly spans: JobSpans },
): Unsubscribe[] {
  return [
    office.on('submitted', () => counts.submitted()),
    office.on('started', (event) => {
      book.begin(event.job);
      spans.started(event);
      counts.started(event);
    }),
    office.on('attempt', (event) => {
      book.attempt(event.jobId, event.attempt, event.role);
      spans.attempt(event);
      counts.attempt(event);
    }),
    office.on('waiting', (event) => {
      spans.waiting(event);
      counts.waiting(event);
    }),
    office.on('ended', (event) => {
      spans.ended(event);
      counts.ended(event);
      book.forget(event.jobId);
    }),
    office.on('left', (event) => {
      spans.left(event);
      counts.left(event);
      book.forget(event.jobId);
    }),
  ];
}
