export { inProcessTransport } from './in-process.ts';
export type { InProcessTransport } from './in-process.ts';
export { connectToSocket, listenOnSocket } from './unix-socket.ts';
export type { ConnectOptions, ListenOptions, SocketHostLink } from './unix-socket.ts';
