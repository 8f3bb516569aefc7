import type { PortName } from './port-selection.ts';

/*
 * Why a port cannot be opened and what to do, in one set of words for whoever comes upon it: who opens it, or who only looks.
 */

/** For a path that leads nowhere, as after a device was unplugged. */
export const absentPort = (kind: PortName['kind'], path: string): string =>
  kind === 'serial'
    ? `there is no ${path}. Plug the device in, or correct serial.path (headwater serial list shows what is there)`
    : `there is no ${path}. Plug the adapter in, or correct modbus.port.path (headwater serial list shows what is there)`;

/** For a path that this user has no rights to. */
export const forbiddenPort = (path: string): string =>
  `this user may not open ${path}. Make it a member of the group that owns the port (Debian: usermod -aG dialout USER)`;
