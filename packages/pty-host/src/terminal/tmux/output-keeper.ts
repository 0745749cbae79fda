/** Where a pane's output is kept, in the pane's folder: a file for each piece, named by the offset of its first byte. */
export const OUTPUT_PREFIX = 'out.';
/** Appears when no more output will come. */
export const END_FILE = 'end';
/** How the process ended, as tmux tells it: status and signal, one of them empty. */
export const EXIT_FILE = 'exit';
/** The process id of what writes the output. */
export const KEEPER_PID_FILE = 'keeper';

/** By how much offsets in the session's log differ from those in the pieces, since something was lost; absent: they do not. */
export const SHIFT_FILE = 'shift';

/** A piece has at most this many bytes, and at most as many reads: an agent that paints all the time fills one in a minute. */
const PIECE_READS = 512;
const READ_BYTES = 8192;

/**
 * The script that writes what a pane prints. It lives with tmux's server, not with us: what is printed while there is no
 * host is kept as well. Beyond `maxBytes` the oldest pieces are removed, whether somebody has read them or not: tmux
 * cannot be held back, and would otherwise fill its own memory or the disk. `dd` because it alone hands on what it has
 * read at once, and takes no byte too many.
 */
export function keeperScript({ maxBytes }: { readonly maxBytes: number }): string {
  return `umask 077
echo $$ > "$1/${KEEPER_PID_FILE}"
at=0
oldest=0
while :; do
  dd bs=${READ_BYTES} count=${PIECE_READS} of="$1/${OUTPUT_PREFIX}$at" 2>/dev/null || break
  size=$(($(wc -c < "$1/${OUTPUT_PREFIX}$at")))
  [ "$size" -gt 0 ] || break
  eval "next_$at=$((at + size))"
  at=$((at + size))
  while [ $((at - oldest)) -gt ${maxBytes} ]; do
    rm -f "$1/${OUTPUT_PREFIX}$oldest"
    eval "after=\\$next_$oldest; unset next_$oldest"
    oldest=$after
  done
done
: > "$1/${END_FILE}"
`;
}
