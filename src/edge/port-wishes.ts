import type { NamedWish } from '../ingest/wired/port-selection.ts';
import type { Config } from './config/schema.ts';

/** All configured ports, of either kind: which device belongs to which can only be told by them together. */
export const portWishes = ({ serial, modbus }: Pick<Config, 'serial' | 'modbus'>): readonly NamedWish[] => [
  ...serial.map(({ name, wish }): NamedWish => ({ kind: 'serial', name, wish })),
  ...modbus.flatMap(({ name, settings }): readonly NamedWish[] =>
    settings.kind === 'rtu' ? [{ kind: 'modbus', name, wish: settings.wish }] : [],
  ),
];
