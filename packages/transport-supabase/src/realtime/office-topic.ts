import { z } from 'zod';

/** Where a host hears that there is something to claim. */
export function commandsTopic(officeId: string, hostId: string): string {
  return `office:${officeId}:commands:${hostId}`;
}

/** Where an office hears of what happens. */
export function eventsTopic(officeId: string): string {
  return `office:${officeId}:events`;
}

const announcementSchema = z.object({ id: z.string() });

/** What an announcement is about; `undefined` where it does not say. Who is told anything else looks all the same. */
export function announcedId(payload: unknown): string | undefined {
  const parsed = announcementSchema.safeParse(payload);
  return parsed.success ? parsed.data.id : undefined;
}
