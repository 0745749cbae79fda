import '../../transport-local/src/socket.ts';
import 'node-pty';
export const host = 1;
