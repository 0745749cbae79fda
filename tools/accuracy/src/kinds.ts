import type { Kind } from './kind.ts';
import { backgroundKinds, subagentKinds } from './kinds/background.ts';
import { endingKinds } from './kinds/endings.ts';
import { markerKinds, requiredMarkerKinds } from './kinds/markers.ts';
import { milestoneKinds, troubleKinds } from './kinds/milestones.ts';
import { outputKinds } from './kinds/output.ts';
import { peopleKinds } from './kinds/people.ts';
import { providerKinds } from './kinds/provider.ts';

/** Every kind of turn with a known truth. */
export const kinds: readonly Kind[] = [
  ...markerKinds,
  ...requiredMarkerKinds,
  ...milestoneKinds,
  ...troubleKinds,
  ...providerKinds,
  ...backgroundKinds,
  ...subagentKinds,
  ...peopleKinds,
  ...outputKinds,
  ...endingKinds,
];
