import { z } from 'zod';

const joinSchema = z.object({
  access_token: z.string().nullish(),
  config: z
    .object({
      private: z.boolean().default(false),
      broadcast: z
        .object({
          ack: z.boolean().default(false),
          self: z.boolean().default(false),
          replication_ready: z.boolean().default(false),
        })
        .prefault({}),
      presence: z.object({ key: z.string().default(''), enabled: z.boolean().default(false) }).prefault({}),
      postgres_changes: z.array(z.unknown()).nullish(),
    })
    .prefault({}),
});

/** What a client asks for when it joins. */
export type JoinRequest = z.infer<typeof joinSchema>;

/** @throws ZodError. */
export function parseJoin(payload: unknown): JoinRequest {
  return joinSchema.parse(payload ?? {});
}
