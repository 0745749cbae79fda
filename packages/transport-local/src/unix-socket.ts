export { connectToSocket } from './socket/socket-office.ts';
export type { ConnectOptions } from './socket/socket-office.ts';
export { listenOnSocket } from './socket/socket-host.ts';
export type { ListenOptions, SocketHostLink } from './socket/socket-host.ts';
