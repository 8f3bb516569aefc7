import { register } from '../register.ts';

const float = (name: string, address: number, unit: string | null) =>
  register({ name, address, unit, kind: 'input', type: 'float32' });

/**
 * Eastron SDM120-Modbus, an energy meter for one phase. Source: Eastron, «SDM120 Modbus Protocol
 * Implementation» (SDM120_PROTOCOL.pdf), input registers. As delivered: unit 1, 2400 baud, no parity, 1 stop bit.
 */
export const sdm120 = [
  float('voltage', 0x0000, 'V'),
  float('current', 0x0006, 'A'),
  float('power', 0x000c, 'W'),
  float('apparentPower', 0x0012, 'VA'),
  float('reactivePower', 0x0018, 'var'),
  float('powerFactor', 0x001e, null),
  float('frequency', 0x0046, 'Hz'),
  float('importEnergy', 0x0048, 'kWh'),
  float('exportEnergy', 0x004a, 'kWh'),
  float('importReactiveEnergy', 0x004c, 'kvarh'),
  float('exportReactiveEnergy', 0x004e, 'kvarh'),
  float('totalEnergy', 0x0156, 'kWh'),
  float('totalReactiveEnergy', 0x0158, 'kvarh'),
];
