/**
 * Office and hosts that meet in a Supabase project. An entry of its own, so that Supabase's client is loaded only where it is used.
 *
 * @packageDocumentation
 */
export * from '@semo-office/transport-supabase';
