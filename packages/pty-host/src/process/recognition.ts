import { SESSION_TAG as tag } from './session-evidence.ts';

/** What is known of how a session's processes are recognised. */
export interface RecognitionFacts {
  /** Whether they bear a brand; see `createBrand`. */
  readonly branded: boolean;
  /** Whether the session has folders of its own, such as a worktree made for it. */
  readonly ownFolders: boolean;
  /** Whether this machine shows other processes' environment and folder. Default: whether it is Linux. */
  readonly procFileSystem?: boolean | undefined;
}

const hasProc = process.platform === 'linux';

/** The ways in which a process of the session is recognised, in words of the report. */
export function recognisedBy({ branded, ownFolders, procFileSystem = hasProc }: RecognitionFacts): string[] {
  const ways = ['parentage', 'group'];
  if (procFileSystem && ownFolders) ways.push('folder');
  if (procFileSystem) ways.push('environment');
  if (branded) ways.push('brand');
  return ways;
}

/** How a process could come to be unrecognised, in sentences for people. */
export function recognitionEscapes({ branded, ownFolders, procFileSystem = hasProc }: RecognitionFacts): string[] {
  const sentences = ['A process that changes to another user, through sudo or a setuid program.'];
  const looks = 'between two looks (250 ms apart)';
  const leaves = ownFolders ? ', works outside the folders of the session' : '';
  if (branded) {
    sentences.push(
      `A process that sets its own message queue limit, drops ${tag} from its environment${leaves} and moves to a session of its own with its parent gone, all ${looks}.`,
    );
  } else if (procFileSystem) {
    sentences.push(
      `A process that drops ${tag} from its environment${leaves} and moves to a session of its own with its parent gone, all ${looks}: no brand could be set here (neither prlimit nor bash was found, or the hard limit on message queues is too low).`,
    );
  } else {
    sentences.push(
      `A process that moves to a session of its own with its parent gone, both ${looks}: this system does not show the environment, folder or limits of other processes.`,
    );
  }
  return sentences;
}
