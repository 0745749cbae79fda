/**
 * A copy of bytes that is kept for as long as an agent lives. `Buffer.from` cuts small buffers from slabs that all share
 * (64 KiB since Node 24): a few bytes kept from one would hold all of it.
 */
export function keptBytes(source: string | Uint8Array): Buffer {
  const bytes = typeof source === 'string' ? new TextEncoder().encode(source) : source;
  const kept = Buffer.alloc(bytes.byteLength);
  kept.set(bytes);
  return kept;
}
