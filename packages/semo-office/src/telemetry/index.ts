/**
 * What an office does, told to OpenTelemetry. An entry of its own, since it needs `@opentelemetry/api`, which your program
 * brings.
 *
 * @packageDocumentation
 */
export * from '@semo-office/core/telemetry';
