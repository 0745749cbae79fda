import { decodeJwt } from 'jose';
import { SemoError } from 'semo-office';

/** A key that a host may hold, as it is. @throws SemoError `invalid_argument`: it opens more than one host needs. */
export function hostKey(key: string): string {
  if (!key.startsWith('sb_secret_') && roleIn(key) !== 'service_role') return key;
  throw new SemoError(
    'invalid_argument',
    "This is a secret key of the project, which opens every office: a host must not hold it. Give the publishable one, and take this one from the host's machine.",
  );
}

/** Keys of old are tokens that name a role. */
function roleIn(key: string): unknown {
  try {
    return decodeJwt(key)['role'];
  } catch {
    return null;
  }
}
