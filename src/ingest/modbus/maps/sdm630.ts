import { register } from '../register.ts';

const float = (name: string, address: number, unit: string | null) =>
  register({ name, address, unit, kind: 'input', type: 'float32' });

/** One value of each phase: three floats in a row. */
const phases = (name: string, address: number, unit: string | null) =>
  [1, 2, 3].map((phase) => float(`${name}L${phase}`, address + (phase - 1) * 2, unit));

/**
 * Eastron SDM630-Modbus, an energy meter for three phases. Source: Eastron, «SDM630-Modbus V2 Protocol Implementation»,
 * input registers. As delivered: unit 1, 9600 baud, no parity, 1 stop bit.
 */
export const sdm630 = [
  ...phases('voltage', 0x0000, 'V'),
  ...phases('current', 0x0006, 'A'),
  ...phases('power', 0x000c, 'W'),
  ...phases('apparentPower', 0x0012, 'VA'),
  ...phases('reactivePower', 0x0018, 'var'),
  ...phases('powerFactor', 0x001e, null),
  float('power', 0x0034, 'W'),
  float('apparentPower', 0x0038, 'VA'),
  float('reactivePower', 0x003c, 'var'),
  float('powerFactor', 0x003e, null),
  float('frequency', 0x0046, 'Hz'),
  float('importEnergy', 0x0048, 'kWh'),
  float('exportEnergy', 0x004a, 'kWh'),
  float('neutralCurrent', 0x00e0, 'A'),
  float('totalEnergy', 0x0156, 'kWh'),
  float('totalReactiveEnergy', 0x0158, 'kvarh'),
];
