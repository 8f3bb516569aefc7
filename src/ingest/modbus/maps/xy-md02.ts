import { register } from '../register.ts';

/**
 * XY-MD02, a transmitter of temperature and humidity with an SHT20 or SHT30, sold under many names. Source: the manual «XY-MD02
 * Temperature and Humidity Transmitter SHT20 Sensor Modbus RS485», input registers. As delivered: unit 1, 9600 baud, no parity,
 * 1 stop bit.
 */
export const xyMd02 = [
  register({ name: 'temperature', address: 1, kind: 'input', type: 'i16', scale: 0.1, unit: '°C' }),
  register({ name: 'humidity', address: 2, kind: 'input', type: 'u16', scale: 0.1, unit: '%' }),
];
