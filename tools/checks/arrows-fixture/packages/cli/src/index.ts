import '@semo-office/pty-host';
export const command = 1;
